/** What the lab is doing, for a view to draw; one line per step, never a guess. */
export interface LabProgress {
  readonly stage: 'image' | 'clear' | 'network' | 'boot';
  /** Absent: about the whole lab. */
  readonly host?: string;
  readonly doing: string;
  /** Both or neither: how much of a known amount is done. */
  readonly done?: number;
  readonly total?: number;
}

export type Report = (line: LabProgress) => void;
