// placeholder by the lead so that the pipeline imports; to be overwritten by the author of src/verify
export function judge(..._: readonly unknown[]): readonly never[] {
  return [];
}
