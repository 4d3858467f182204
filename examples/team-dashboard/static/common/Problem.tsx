// The message about the last call that failed, if it did.
export function Problem({ text }: { text: string | undefined }) {
  if (!text) return null;
  return (
    <p className="problem" role="alert">
      {text}
    </p>
  );
}
