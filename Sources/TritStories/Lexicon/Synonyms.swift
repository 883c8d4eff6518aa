/// Words and phrases that the template compiler exchanges for others of the same meaning and
/// grammar, equally likely, wherever templates use the first of a row.
enum Synonyms {
  static let rows: [[String]] = [
    "everyone, everybody", "stuck, caught",
    "but, yet", "the next day, the following day",
    "small, little, tiny", "looked at, stared at, gazed at", "beside, next to",
    "strong wind, gust of wind, wild wind", "ran too fast, ran too wildly",
    "a long time, many hours, quite a while", "loved to, liked to",
    "fell down, tumbled down, came down", "for a while, for some time",
    "could see, was able to see", "was near, was not far away, was coming",
    "went on, kept going, carried on",
    "found, discovered", "wanted to, wished to, longed to",
    "began to, started to", "came back, returned", "came by, stopped by, passed by",
    "went away, ran off, disappeared",
    "big, large, huge, great",
    "in the end, finally, at last, eventually", "friends, pals, buddies", "friend, pal, buddy",
    "nobody, no one", "somebody, someone",
    "at once, right away, immediately", "a moment, a second, a minute", "people, folks",
    "shook, trembled", "funny, odd, silly", "saw, noticed",
    "too late, much too late", "almost, nearly, just about",
    "quiet, silent, still",
    "full of, filled with",
    "near, close to, not far from", "brought, carried", "hugged, embraced, squeezed",
    "carefully, with care, slowly", "story, tale", "jumped, leaped, hopped, sprang",
    "hungry, starving, famished", "looked for, searched for, hunted for",
    "road, path, lane, street",
    "called, named", "helped, assisted", "broke, cracked, snapped", "surely, certainly",
    "under the moon, in the moonlight", "all day, from morning to night",
    "happened, took place", "clean, tidy", "warm, cozy", "dark, gloomy",
    "far ahead, miles ahead", "with a smile, smiling, in peace",
  ].map { WordClass($0).words }

  /// Rows by their first phrase, for phrases that templates use.
  private static let byFirstWord: [String: [(phrase: [Character], row: Int)]] = {
    var table: [String: [(phrase: [Character], row: Int)]] = [:]
    for (index, row) in rows.enumerated() {
      let first = String(row[0].prefix { $0 != " " })
      table[first, default: []].append((Array(row[0]), index))
    }
    for key in Array(table.keys) { table[key]?.sort { $0.phrase.count > $1.phrase.count } }
    return table
  }()

  /// Cuts literal text into parts that stay and parts that have synonyms.
  static func nodes(_ literal: String) -> [TemplateNode] {
    let text = Array(literal)
    var nodes: [TemplateNode] = []
    var kept = ""
    var position = 0
    while position < text.count {
      let startsWord = text[position].isLetter && (position == 0 || !text[position - 1].isLetter)
      guard startsWord, let (row, length) = match(text, position) else {
        kept.append(text[position])
        position += 1
        continue
      }
      if !kept.isEmpty { nodes.append(.text(Array(kept.utf8))) }
      kept = ""
      nodes.append(
        .choice(.uniform(rows[row].count), rows[row].map { [.text(Array($0.utf8))] }))
      position += length
    }
    if !kept.isEmpty { nodes.append(.text(Array(kept.utf8))) }
    return nodes
  }

  private static func match(_ text: [Character], _ start: Int) -> (row: Int, length: Int)? {
    var end = start
    while end < text.count, text[end].isLetter { end += 1 }
    let word = String(text[start..<end])
    for (phrase, row) in byFirstWord[word] ?? [] {
      let stop = start + phrase.count
      guard stop <= text.count, Array(text[start..<stop]) == phrase,
        stop == text.count || !text[stop].isLetter
      else { continue }
      return (row, phrase.count)
    }
    return nil
  }
}
