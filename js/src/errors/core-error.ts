// The error of the Rust cores: a plain object, which they throw and reject with.

export interface CoreError {
  code: string;
  message: string;
  retryAfterMs?: number;
  mayHaveArrived?: boolean;
}
