import {
  derivedName,
  resourceKinds,
  type NamedResource,
  type Place,
  type ResourceKind,
} from './resource-kinds.ts';
import { TemplateUnsupported, type Stack } from './template.ts';

const MAX_DEPTH = 64;

/**
 * Resolves the intrinsic functions of all stacks of one assembly against each other: `Ref`, `Fn::GetAtt`,
 * `Fn::Join`, `Fn::Sub`, `Fn::Select`, `Fn::Split`, `Fn::FindInMap`, `Fn::ImportValue`, `Fn::GetStackOutput`,
 * conditions, and the pseudo parameters.
 */
export class Resolver {
  readonly #stacks: readonly Stack[];
  readonly #place: Place;
  /** Resources whose name is being resolved, to notice one that refers to itself. */
  readonly #naming = new Set<string>();

  constructor(stacks: readonly Stack[], place: Place) {
    this.#stacks = stacks;
    this.#place = place;
  }

  /** A value with every intrinsic replaced. `where` is for the error message. @throws TemplateUnsupported */
  resolve(stack: Stack, value: unknown, where: string, depth = 0): unknown {
    if (depth > MAX_DEPTH) throw new TemplateUnsupported(`${where}: nested too deep, or refers to itself.`);
    if (Array.isArray(value)) {
      return value
        .map((item: unknown) => this.resolve(stack, item, where, depth + 1))
        .filter((item) => item !== undefined);
    }
    if (!isObject(value)) return value;
    const entries = Object.entries(value);
    const [only] = entries;
    if (only !== undefined && entries.length === 1 && (only[0] === 'Ref' || only[0].startsWith('Fn::'))) {
      return this.#intrinsic(stack, only[0], only[1], where, depth);
    }
    return Object.fromEntries(
      entries
        .map(([key, item]) => [key, this.resolve(stack, item, `${where}.${key}`, depth + 1)] as const)
        .filter(([, item]) => item !== undefined),
    );
  }

  /** The kind and physical name of a resource. @throws TemplateUnsupported for an unknown kind */
  named(stack: Stack, logicalId: string): NamedResource & { kind: ResourceKind } {
    const resource = stack.template.Resources[logicalId];
    const where = `${stack.name}.${logicalId}`;
    if (resource === undefined) throw new TemplateUnsupported(`${where}: there is no such resource.`);
    const kind = resourceKinds[resource.Type];
    if (kind === undefined) {
      throw new TemplateUnsupported(`${where}: the local cloud has no ${resource.Type}.`);
    }
    const given = kind.nameProperty === undefined ? undefined : resource.Properties[kind.nameProperty];
    const physical = given === undefined ? undefined : this.#givenName(stack, where, given);
    const name = physical ?? derivedName(kind, stack.name, logicalId);
    return { stackName: stack.name, logicalId, name, place: this.#place, kind };
  }

  #givenName(stack: Stack, where: string, given: unknown): string | undefined {
    if (this.#naming.has(where)) throw new TemplateUnsupported(`${where}: its name refers to itself.`);
    this.#naming.add(where);
    try {
      const name = this.resolve(stack, given, where);
      return name === undefined ? undefined : text(name, where);
    } finally {
      this.#naming.delete(where);
    }
  }

  /** Whether a condition of the template holds; no condition always does. */
  holds(stack: Stack, condition: string | undefined): boolean {
    if (condition === undefined) return true;
    const expression = stack.template.Conditions[condition];
    if (expression === undefined) {
      throw new TemplateUnsupported(`${stack.name}: there is no condition ${condition}.`);
    }
    return this.#test(stack, expression, `${stack.name}.Conditions.${condition}`, 0);
  }

  #intrinsic(stack: Stack, name: string, argument: unknown, where: string, depth: number): unknown {
    const inner = (value: unknown): unknown => this.resolve(stack, value, where, depth + 1);
    switch (name) {
      case 'Ref':
        return this.#ref(stack, text(argument, where), where);
      case 'Fn::GetAtt': {
        const [id, attribute] =
          typeof argument === 'string' ? splitOnce(argument) : list(inner(argument), where);
        return this.#attribute(stack, text(id, where), text(attribute, where), where);
      }
      case 'Fn::Join': {
        const [separator, parts] = list(argument, where);
        return list(inner(parts), where)
          .map((part) => text(part, where))
          .join(text(separator, where));
      }
      case 'Fn::Sub':
        return this.#substitute(stack, argument, where, inner);
      case 'Fn::Select': {
        const [index, from] = list(argument, where);
        const chosen = list(inner(from), where)[Number(inner(index))];
        if (chosen === undefined) throw new TemplateUnsupported(`${where}: Fn::Select is out of range.`);
        return chosen;
      }
      case 'Fn::Split': {
        const [separator, whole] = list(argument, where);
        return text(inner(whole), where).split(text(separator, where));
      }
      case 'Fn::FindInMap': {
        const [map, top, second] = list(inner(argument), where).map((part) => text(part, where));
        const found = stack.template.Mappings[map ?? '']?.[top ?? '']?.[second ?? ''];
        if (found === undefined) throw new TemplateUnsupported(`${where}: Fn::FindInMap finds nothing.`);
        return found;
      }
      case 'Fn::ImportValue':
        return this.#import(text(inner(argument), where), where, depth);
      case 'Fn::GetStackOutput':
        return this.#stackOutput(inner(argument), where, depth);
      case 'Fn::If': {
        const [condition, yes, no] = list(argument, where);
        return inner(this.holds(stack, text(condition, where)) ? yes : no);
      }
      case 'Fn::Equals':
      case 'Fn::And':
      case 'Fn::Or':
      case 'Fn::Not':
        return this.#test(stack, { [name]: argument }, where, depth);
      default:
        throw new TemplateUnsupported(`${where}: the local cloud does not know ${name}.`);
    }
  }

  #ref(stack: Stack, id: string, where: string): unknown {
    switch (id) {
      case 'AWS::Region':
        return this.#place.region;
      case 'AWS::AccountId':
        return this.#place.accountId;
      case 'AWS::Partition':
        return 'aws';
      case 'AWS::URLSuffix':
        return 'amazonaws.com';
      case 'AWS::StackName':
        return stack.name;
      case 'AWS::StackId':
        return `arn:aws:cloudformation:${this.#place.region}:${this.#place.accountId}:stack/${stack.name}/local`;
      case 'AWS::NoValue':
        return undefined;
    }
    const parameter = stack.template.Parameters[id];
    if (parameter !== undefined) {
      if (parameter.Default !== undefined) return parameter.Default;
      throw new TemplateUnsupported(`${where}: the parameter ${id} has no default.`);
    }
    if (stack.template.Resources[id] === undefined) {
      throw new TemplateUnsupported(`${where}: there is no resource or parameter ${id}.`);
    }
    const resource = this.named(stack, id);
    return resource.kind.ref(resource);
  }

  #attribute(stack: Stack, id: string, attribute: string, where: string): string {
    const resource = this.named(stack, id);
    const resolve = Object.hasOwn(resource.kind.attributes, attribute)
      ? resource.kind.attributes[attribute]
      : undefined;
    if (resolve !== undefined) return resolve(resource);
    const type = stack.template.Resources[id]?.Type;
    throw new TemplateUnsupported(`${where}: the local cloud's ${type} has no attribute ${attribute}.`);
  }

  #substitute(stack: Stack, argument: unknown, where: string, inner: (value: unknown) => unknown): string {
    const [pattern, variables] = typeof argument === 'string' ? [argument, {}] : list(argument, where);
    const known = isObject(variables) ? variables : {};
    return text(pattern, where).replace(/\$\{(!?)([^}]+)\}/g, (_whole, escaped: string, name: string) => {
      if (escaped !== '') return `\${${name}}`;
      if (Object.hasOwn(known, name)) return text(inner(known[name]), where);
      return name.includes('.') && !name.startsWith('AWS::')
        ? this.#attribute(stack, ...splitOnce(name), where)
        : text(this.#ref(stack, name, where), where);
    });
  }

  #import(exportName: string, where: string, depth: number): unknown {
    for (const stack of this.#stacks) {
      for (const [id, output] of Object.entries(stack.template.Outputs)) {
        if (output.Export === undefined || !this.holds(stack, output.Condition)) continue;
        const at = `${stack.name}.Outputs.${id}`;
        if (this.resolve(stack, output.Export.Name, at, depth + 1) !== exportName) continue;
        return this.resolve(stack, output.Value, at, depth + 1);
      }
    }
    throw new TemplateUnsupported(`${where}: no stack exports ${exportName}.`);
  }

  #stackOutput(argument: unknown, where: string, depth: number): unknown {
    const { StackName: name, OutputName: output } = isObject(argument) ? argument : {};
    const stack = this.#stacks.find((each) => each.name === name);
    const found = stack?.template.Outputs[String(output)];
    if (stack === undefined || found === undefined) {
      throw new TemplateUnsupported(
        `${where}: there is no output ${String(output)} of stack ${String(name)}.`,
      );
    }
    return this.resolve(stack, found.Value, `${stack.name}.Outputs.${String(output)}`, depth + 1);
  }

  #test(stack: Stack, expression: unknown, where: string, depth: number): boolean {
    if (depth > MAX_DEPTH) throw new TemplateUnsupported(`${where}: the condition refers to itself.`);
    if (typeof expression === 'boolean') return expression;
    const [only] = Object.entries(isObject(expression) ? expression : {});
    if (only === undefined) throw new TemplateUnsupported(`${where}: this is no condition.`);
    const [name, argument] = only;
    if (name === 'Condition') return this.holds(stack, text(argument, where));
    const parts = list(argument, where);
    if (name === 'Fn::Equals') {
      const [left, right] = parts.map((part) => JSON.stringify(this.resolve(stack, part, where, depth + 1)));
      return left === right;
    }
    const results = parts.map((part) => this.#test(stack, part, where, depth + 1));
    if (name === 'Fn::And') return results.every(Boolean);
    if (name === 'Fn::Or') return results.some(Boolean);
    if (name === 'Fn::Not') return results[0] !== true;
    throw new TemplateUnsupported(`${where}: the local cloud does not know the condition ${name}.`);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function list(value: unknown, where: string): unknown[] {
  if (Array.isArray(value)) return value;
  throw new TemplateUnsupported(`${where}: a list is expected.`);
}

function text(value: unknown, where: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new TemplateUnsupported(`${where}: text is expected.`);
}

function splitOnce(path: string): [string, string] {
  const dot = path.indexOf('.');
  return dot < 0 ? [path, ''] : [path.slice(0, dot), path.slice(dot + 1)];
}
