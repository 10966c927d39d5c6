/** Where a person may put a note. Seeds choose by place in this list: changed, they make other worlds. */
export const TASK_FOLDERS = [
  'Needs_Action',
  'In_Progress/laptop',
  'In_Progress/cloud',
  'Pending_Approval',
  'Approved',
  'Needs_Attention',
  'Rejected',
  'Done',
  'Notes',
] as const;
