// Folders of files, by their paths relative to the folder of the command.

/** Returns the file, of those with this name, in the closest folder above another file. */
export function ownerOf(file: string, candidates: readonly string[]): string | undefined {
  const above = candidates.filter((candidate) => `${folderOf(file)}/`.startsWith(prefixOf(candidate)));
  return above.toSorted((a, b) => b.split('/').length - a.split('/').length).at(0);
}

/** The folder of a file, '.' for that of the app. */
export function folderOf(file: string | undefined): string {
  return file?.includes('/') ? file.slice(0, file.lastIndexOf('/')) : '.';
}

function prefixOf(file: string): string {
  return file.includes('/') ? `${folderOf(file)}/` : '';
}
