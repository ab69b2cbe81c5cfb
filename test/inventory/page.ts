/** docs/inventory.md: every key of an inventory, from the schema that reads it. */
import type { z } from 'zod';
import { inventoryJsonSchema } from '../../src/inventory/schema/inventory.ts';
import { base } from './base.ts';

type Schema = z.core.JSONSchema.BaseSchema;

interface Row {
  readonly key: string;
  readonly value: string;
  readonly means: string;
}

const head = `# The inventory

It says what the cluster is, not how to get there. Every key is here; \`lvsctl schema\` prints the same for editors, and the inventories in
\`inventory/\` are clusters that work. A small one, which changes neither SELinux nor the firewall of the hosts:

\`\`\`yaml
${base.replace(/^clients:[\s\S]*/m, '').trimEnd()}
\`\`\`

\`NAME\` stands for a name that you choose, \`[]\` for each entry of a list. A value may be \`!secret NAME\` where the table says so
([secrets.md](secrets.md)). Hosts may be written as ranges (\`web[01:20]\`).
`;

export function inventoryPage(): string {
  const { properties = {}, required = [] } = inventoryJsonSchema() as Schema;
  const keys = Object.entries(properties) as [string, Schema][];
  const inside = (schema: Schema): boolean => rowsOf('', schema).length > 0;
  const plain = keys.filter(([, schema]) => !inside(schema)).map(([key, schema]) => row(key, schema, required.includes(key)));
  const sections = keys
    .filter(([, schema]) => inside(schema))
    .map(([key, schema]) => `## ${key}\n\n${schema.description ?? ''}.\n\n${table(rowsOf(key, schema))}`);
  return `${[head.trimEnd(), `## At the top\n\n${table(plain)}`, ...sections].join('\n\n')}\n`;
}

/** What can stand below a key, to the depth of the schema. */
function rowsOf(path: string, schema: Schema): readonly Row[] {
  const { properties = {}, required = [], additionalProperties, anyOf = [] } = schema;
  const items = itemsOf(schema);
  const named = Object.entries(properties as Record<string, Schema>).flatMap(([key, inner]) => [
    row(`${path}.${key}`, inner, required.includes(key)),
    // The same everywhere: it has a section of its own.
    ...(key === 'ssh' ? [] : rowsOf(`${path}.${key}`, inner)),
  ]);
  const listed = items ? rowsOf(`${path}[]`, items) : [];
  const free = typeof additionalProperties === 'object' ? rowsOf(`${path}.NAME`, additionalProperties) : [];
  return [...named, ...listed, ...free, ...anyOf.flatMap((form) => rowsOf(path, form as Schema))];
}

function itemsOf({ items }: Schema): Schema | undefined {
  return typeof items === 'object' && !Array.isArray(items) ? items : undefined;
}

function row(key: string, schema: Schema, needed: boolean): Row {
  return { key: `${key}${needed && schema.default === undefined ? ' *' : ''}`, value: formOf(schema), means: meaning(schema) };
}

function meaning({ description = '', default: standard }: Schema): string {
  const told =
    standard === undefined || typeof standard === 'object' ? '' : `; ${JSON.stringify(standard).replaceAll('"', '')} unless said`;
  return `${description}${/unless said/.test(description) ? '' : told}`;
}

function formOf(schema: Schema): string {
  const { type, enum: words, minimum, maximum, anyOf } = schema;
  const items = itemsOf(schema);
  if (words) return words.map(String).join(', ');
  if (anyOf) return [...new Set(anyOf.map((form) => formOf(form as Schema)))].join(' or ');
  if (type === 'integer' || type === 'number') return minimum === undefined ? 'a number' : `${minimum} to ${maximum}`;
  if (type === 'boolean') return 'true, false';
  if (type === 'array') return `list${items && !items.properties ? ` of ${formOf(items)}` : ''}`;
  return type === 'object' ? 'mapping' : 'text';
}

function table(rows: readonly Row[]): string {
  const cells = [
    { key: 'key (* is needed)', value: 'value', means: 'means' },
    ...rows.map((each) => ({ ...each, key: `\`${each.key}\`` })),
  ].map(({ key, value, means }) =>
    [key.replace(/ \*`$/, '` *'), value, means].map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')),
  );
  const widths = [0, 1, 2].map((column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  const lines = cells.map((line) => `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`);
  return [lines[0], `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...lines.slice(1)].join('\n');
}
