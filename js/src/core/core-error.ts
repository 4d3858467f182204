// The plain object that both Rust cores throw and reject with.

export interface CoreError {
  code: string;
  message: string;
  retryAfterMs?: number;
  mayHaveArrived?: boolean;
}
