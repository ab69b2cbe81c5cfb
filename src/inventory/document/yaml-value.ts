import { type Alias, isAlias, isMap, isScalar, isSeq, type Node, type Pair, type Scalar } from 'yaml';
import { type Complaint, fault, formatValue } from '../complaints.ts';

/** What a YAML tree means as plain data, and what a later search by path needs to know of it. */
export interface YamlValue {
  readonly value: unknown;
  /** What each alias stands for. */
  readonly targets: ReadonlyMap<Alias, Node>;
  readonly complaints: readonly Complaint[];
}

/** Aliases of aliases can turn a small file into billions of values. */
const mostValues = 200_000;

interface Walk {
  readonly complaints: Complaint[];
  readonly anchors: Map<string, Node>;
  /** Collections that are being read; an alias to one of them would have no end. */
  readonly open: Set<Node>;
  readonly targets: Map<Alias, Node>;
  values: number;
}

/**
 * The plain data of a parsed YAML tree. Own code instead of the library's `toJS`, which throws on bad aliases without saying where,
 * and which knows no marks of ours. Throws RangeError when the tree is endlessly deep or wide.
 */
export function toValue(root: Node | null): YamlValue {
  const walk: Walk = { complaints: [], anchors: new Map(), open: new Set(), targets: new Map(), values: 0 };
  const value = read(root, walk);
  return { value, targets: walk.targets, complaints: walk.complaints };
}

function read(node: Node | null, walk: Walk): unknown {
  walk.values += 1;
  if (walk.values > mostValues) throw new RangeError(`more than ${mostValues} values`);
  if (isAlias(node)) return readAlias(node, walk);
  if (node && 'anchor' in node && node.anchor) walk.anchors.set(node.anchor, node);
  if (isScalar(node)) return readScalar(node, walk);
  if (!isMap<Node, Node>(node) && !isSeq<Node>(node)) return null;
  walk.open.add(node);
  const value = isSeq<Node>(node) ? node.items.map((item) => read(item, walk)) : Object.fromEntries(readPairs(node.items, walk));
  walk.open.delete(node);
  return value;
}

function readPairs(pairs: readonly Pair<Node, Node>[], walk: Walk): readonly (readonly [string, unknown])[] {
  return pairs.map(({ key, value }) => {
    const name = isScalar(key) ? String(readScalar(key, walk)) : '';
    // The one name that means something to JavaScript itself: schemas skip it in silence.
    if (!isScalar(key) || name === '__proto__') {
      const found = `${isScalar(key) ? formatValue(name) : 'an alias'} cannot be a key`;
      walk.complaints.push(fault('unknown-key', key?.range?.[0] ?? 0, found, 'use another name'));
    }
    return [name, read(value, walk)] as const;
  });
}

function readScalar(node: Scalar, walk: Walk): unknown {
  const forged = typeof node.value === 'string' && /[\uE000\uE001]/.test(node.value) && node.tag !== '!secret';
  if (forged) {
    const found = 'the characters U+E000 and U+E001 are kept for secrets';
    walk.complaints.push(fault('forged-secret', node.range?.[0] ?? 0, found, 'write !secret NAME'));
  }
  return node.value;
}

function readAlias(alias: Alias, walk: Walk): unknown {
  const target = walk.anchors.get(alias.source);
  if (target && !walk.open.has(target)) {
    walk.targets.set(alias, target);
    return read(target, walk);
  }
  const found = `${formatValue(`*${alias.source}`)} ${target ? 'stands inside what it refers to' : 'refers to nothing'}`;
  walk.complaints.push(fault('yaml', alias.range?.[0] ?? 0, found, 'an alias stands after its &anchor, and outside it'));
  return null;
}
