// The hint "Anna is adding…", shown instead of the summary.
export function AddingHint({ names }: { names: string[] }) {
  return (
    <span className="hint" data-testid="hint">
      <span className="dots" aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      {names.join(' and ')} {names.length > 1 ? 'are' : 'is'} adding…
    </span>
  );
}
