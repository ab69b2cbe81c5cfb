/** Health checks as the model says them. */
import { z } from 'zod';
import { argument, port, scriptFile, seconds } from '../keepalived/values.ts';

const urlPart = z
  .string()
  .max(1024)
  .regex(/^[A-Za-z0-9_.~:/?&=%+,;@()*-]+$/, 'characters of a URL, others as %XX');

const kinds = ['tcp', 'http', 'https', 'misc', 'dns', 'udp', 'ping'] as const;

const fields = z.strictObject({
  kind: z
    .enum(kinds)
    .describe('tcp: the port answers; http, https: the page is there; misc: a script; dns: a name; udp: no refusal; ping: an echo'),
  timeout: seconds.describe('Seconds until a try counts as failed'),
  retry: z.int().min(0).max(100).describe('Further tries before a real server is taken out'),
  delayBeforeRetry: seconds.describe('Seconds between tries'),
  delayLoop: seconds.describe('Seconds between checks'),
  port: port.optional().describe("Port that is asked; the real server's unless said"),
  path: urlPart.startsWith('/').optional().describe('http, https: path that is fetched; / unless said'),
  hostHeader: urlPart.optional().describe('http, https: the Host header that is sent'),
  status: z.int().min(100).max(599).optional().describe('http, https: the status that is expected; 200 unless said'),
  regex: z
    .string()
    .regex(/^[\x20-\x7e]{1,200}$/, 'a regular expression of at most 200 printable ASCII characters')
    .optional()
    .describe('http, https: regular expression (PCRE2) that the answer must match'),
  sni: z.boolean().optional().describe('https: the Host header is asked for in the handshake too'),
  script: scriptFile.optional().describe('misc: path of the script on the control machine'),
  arguments: z.array(argument).optional().describe("misc: its arguments; {rip} and {port} stand for the real server's"),
  type: z
    .enum(['A', 'NS', 'CNAME', 'SOA', 'MX', 'TXT', 'AAAA'], {
      error: 'a type that keepalived asks for: A, NS, CNAME, SOA, MX, TXT or AAAA',
    })
    .optional()
    .describe('dns: type of the question'),
  name: z
    .string()
    .max(253)
    .regex(/^(?:\.|[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_.])?)$/, 'a domain name')
    .optional()
    .describe('dns: name that is asked for'),
  payload: z
    .string()
    .regex(/^(?:[0-9a-f]{2}){1,512}$/, 'pairs of hexadecimal digits')
    .optional()
    .describe('udp: bytes that are sent'),
  requireReply: z.boolean().optional().describe('udp: only an answer is right'),
});

export const check = fields
  .refine(({ kind, script }) => (kind === 'misc') === (script !== undefined), {
    error: 'a check of kind misc, and no other, has a script',
    path: ['script'],
  })
  .refine(({ kind, timeout }) => kind !== 'misc' || Number.isInteger(timeout), {
    error: 'whole seconds: keepalived counts no others for a script',
    path: ['timeout'],
  })
  .describe('Health check of the real servers');
