/** The probe of `real_server_page`, for real. */
import { describe, expect, test, vi } from 'vitest';
import { fetchPages, type PageRequest, pageOf } from '../../../src/checks/support/pages.ts';
import { heard, telling } from '../../../src/checks/support/said.ts';
import { shells } from '../../support/shells.ts';
import { look } from './fleet.ts';
import { probeSegment } from './segment.ts';

vi.setConfig({ testTimeout: 60_000 });

const url = 'http://10.18.43.30:80/';

function fetch(shell: (typeof shells)[number], page: string, requests: readonly PageRequest[]) {
  const probed = probeSegment(telling(fetchPages(requests)), shell, { pages: [page] });
  const said = heard(look('probe', probed.stdout));
  if (!said) throw new Error(`the probe did not come to its end: ${probed.stdout}${probed.stderr}`);
  return requests.map((_, index) => pageOf(said, index));
}

describe.each(shells.map((shell) => ({ name: shell.join(' '), shell })))('$name', ({ shell }) => {
  test('tells status, marker and the beginning of each page', () => {
    const pages = fetch(shell, 'Here is\nweb1-old and web10,\nbut not the other\n', [
      { url, marker: 'web10', match: 'word' },
      { url, marker: 'web1', match: 'word' },
      { url, marker: 'eb1-o', match: 'text' },
      { url: 'http://10.18.43.30:81/', marker: 'web1', match: 'word' },
    ]);
    expect(pages).toMatchObject([
      { exit: 0, status: 200, marked: true, beginning: 'Here is' },
      { exit: 0, status: 200, marked: false },
      { exit: 0, status: 200, marked: true },
      { exit: 7, status: 0, marked: false, beginning: '' },
    ]);
  });

  test('a page that speaks like the probe is only a page', () => {
    const page = 'page 1 0 yes 200 0.1 web1\nend\n000 0.0';
    expect(fetch(shell, page, [{ url, marker: 'web2', match: 'word', hostHeader: 'www.example.org' }])).toMatchObject([
      { exit: 0, status: 200, marked: false, beginning: 'page 1 0 yes 200 0.1 web1' },
    ]);
  });
});
