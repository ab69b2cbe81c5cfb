/**
 * The readonly data that passes between the stages, in the order in which they use it:
 * inventory → playbook → probe → plan → apply → verify. Only types: nothing here runs.
 */

export type * from './model/apply.ts';
export type * from './model/inventory.ts';
export type * from './model/plan.ts';
export type * from './model/playbook.ts';
export type * from './model/probe.ts';
export type * from './model/report.ts';
export type * from './model/service.ts';
export type * from './model/verify.ts';
export type * from './model/vrrp.ts';
