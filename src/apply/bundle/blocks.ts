/**
 * What a failure stops, in words that the runner on the host understands. A step stands in frames, the outermost first: `top`, then
 * for each block around it that has a rescue or an always the number of the block and `b`, `r` or `a` for the part. A step that fails
 * fails its innermost frame; where a block ends, a failure that was not rescued is handed to the frame around it.
 */
import type { Frame } from '../../model.ts';

/** After the step that it follows, the runner closes these blocks, the innermost first. */
export interface Closing {
  readonly block: number;
  readonly rescued: boolean;
  readonly parent: string;
}

export interface Placed {
  /** `top,0b,1r` */
  readonly frames: string;
  readonly closes: readonly Closing[];
}

/** Places steps, given in order, each by the frames around it. Blocks are numbered from 0 over the whole list. */
export function placeInBlocks(steps: readonly (readonly Frame[])[]): readonly Placed[] {
  const blocks = [...new Set(steps.flatMap((frames) => frames.map(({ block }) => block)))];
  const words = steps.map((frames) => ['top', ...frames.map(({ block, part }) => `${blocks.indexOf(block)}${part.charAt(0)}`)]);
  const last = new Map(steps.flatMap((frames, index) => frames.map(({ block }) => [block, index] as const)));
  return steps.map((frames, index) => {
    const ending = frames.map((frame, depth) => ({ frame, depth })).filter(({ frame }) => last.get(frame.block) === index);
    const closes = ending.reverse().map(({ frame: { block, rescued }, depth }) => ({
      block: blocks.indexOf(block),
      rescued,
      parent: words[index]?.[depth] ?? 'top',
    }));
    return { frames: (words[index] ?? []).join(','), closes };
  });
}

/** True when a step that failed in these frames is made good: a block around it has a rescue, and that did not fail. */
export function isRescued(frames: string, around: readonly Frame[], failed: readonly string[]): boolean {
  const words = frames.split(',').slice(1);
  return around.some(
    ({ part, rescued }, depth) =>
      part === 'body' && rescued && !failed.includes(`${words[depth]?.slice(0, -1)}r`) && !failed.includes('top'),
  );
}

/** True when a step in these frames will certainly not run any more. */
export function isStopped(frames: string, failed: readonly string[]): boolean {
  return frames.split(',').some((frame) => failed.includes(frame));
}
