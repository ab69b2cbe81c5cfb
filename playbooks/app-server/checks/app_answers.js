// A check of one's own: the file's name is its word in the playbook beside this folder.
export default ({ defineCheck, sh, z }) =>
  defineCheck({
    summary: 'The application answers on every backend, at the port that it should have.',
    params: z.strictObject({ port: z.int().min(1).max(65_535).describe('Where it listens.') }),
    from: ['backend'],
    probe: ({ port }) => sh`curl --silent --fail --max-time 5 ${`http://127.0.0.1:${port}/`}`,
    expect: (looks, { port }) =>
      looks.map(({ host, output }) => {
        const answered = output.exit === 0 && output.stdout !== '';
        return {
          status: answered ? 'pass' : 'fail',
          host: host.name,
          found: answered ? `port ${port} says "${output.stdout.trim()}"` : `nothing answers at port ${port}`,
          expected: 'a greeting',
          fix: answered ? '' : `look at journalctl -u hello on ${host.name}`,
        };
      }),
    example: { port: 8080 },
  });
