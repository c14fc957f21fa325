/** What is wrong with a piece of XML: a tag that is not closed, a stray sign, a bare attribute; undefined where nothing is. */
export function misfit(xml: string): string | undefined {
  const open: string[] = [];
  const piece = /<(\/?)([a-zA-Z]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>|[^<]+|</g;
  for (const [text, closing, name, attributes = '', empty] of xml.matchAll(piece)) {
    if (name === undefined) {
      if (text === '<') return `a stray < after ${open.join(' ')}`;
      if (/&(?!(amp|lt|gt|quot|#\d+|#x[\da-f]+);)/i.test(text)) return `a bare & in ${text}`;
      continue;
    }
    if (/&(?!(amp|lt|gt|quot|#\d+|#x[\da-f]+);)/i.test(attributes)) return `a bare & in ${attributes}`;
    if (closing === '/') {
      if (open.pop() !== name) return `</${name}> closes what is not open`;
    } else if (empty !== '/') open.push(name);
  }
  return open.length === 0 ? undefined : `${open.join(' ')} not closed`;
}
