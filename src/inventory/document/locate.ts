import { type Alias, isAlias, isMap, isScalar, isSeq, type LineCounter, type Node, type Pair } from 'yaml';
import type { Locate, Path } from '../complaints.ts';

/** What each alias stands for. */
export type AliasTargets = ReadonlyMap<Alias, Node>;

/** Finds the line and column of a path, or of the nearest place above it that is in the file. */
export function locateIn(root: Node | null, lines: LineCounter, targets: AliasTargets): Locate {
  return ({ at, atKey }) => {
    const offset = typeof at === 'number' ? at : offsetOf(root, at, atKey ?? false, targets);
    const { line, col } = lines.linePos(Math.max(0, offset));
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
}

function offsetOf(root: Node | null, path: Path, atKey: boolean, targets: AliasTargets): number {
  let node = root;
  let offset = 0;
  for (const [index, part] of path.entries()) {
    const step = stepInto(node, part, targets);
    if (!step) return offset;
    const last = index === path.length - 1;
    node = step.value;
    // A missing key is best looked for where its mapping is named, and an empty value has no place of its own.
    offset = last && !atKey && hasText(node) ? start(node, offset) : start(step.key ?? node, offset);
  }
  return path.length === 0 ? start(root, 0) : offset;
}

function stepInto(node: Node | null, part: string | number, targets: AliasTargets): { key?: Node; value: Node | null } | undefined {
  const target = isAlias(node) ? targets.get(node) : node;
  if (isSeq<Node>(target) && typeof part === 'number' && part < target.items.length) return { value: target.items[part] ?? null };
  if (!isMap<Node, Node>(target)) return undefined;
  const pair = target.items.find((item: Pair<Node, Node | null>) => isScalar(item.key) && item.key.value === String(part));
  return pair && { key: pair.key, value: pair.value };
}

function hasText(node: Node | null): node is Node {
  return !!node?.range && node.range[1] > node.range[0];
}

function start(node: Node | null, otherwise: number): number {
  return node?.range?.[0] ?? otherwise;
}
