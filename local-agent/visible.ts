export { visibleLine, visibleText } from '#protocol/visible.ts';
