/// A drawing as part of a page: of notebooks, of reports.
package enum InlineSVG {
  /// `svg` without what stands before its element, its ids and what refers to them with `prefix`
  /// before them: drawings of one program repeat their ids, and on a page each must be there once.
  /// Nil where it holds no `<svg` element.
  package static func markup(_ svg: String, prefix: String) -> String? {
    let bytes = Array(svg.utf8)
    guard let start = find("<svg", in: bytes, from: 0) else { return nil }
    var end = bytes.count
    while end > start, isSpace(bytes[end - 1]) { end -= 1 }
    var writer = Writer(bytes: Array(bytes[start..<end]), prefix: Array(prefix.utf8))
    return String(decoding: writer.written(), as: UTF8.self)
  }

  /// Whether it chooses its colours by the page's scheme. Others are made for white paper.
  package static func followsScheme(_ svg: String) -> Bool {
    svg.contains("prefers-color-scheme") || svg.contains("light-dark(")
  }

  /// Its width in pixels: as its element says, or of its view box.
  package static func width(_ svg: String) -> Double? {
    let bytes = Array(svg.utf8)
    guard let start = find("<svg", in: bytes, from: 0), let end = find(">", in: bytes, from: start)
    else { return nil }
    let tag = String(decoding: bytes[start..<end], as: UTF8.self)
    func value(_ name: String) -> Substring? {
      for quote in ["\"", "'"] {
        guard let from = tag.firstRange(of: "\(name)=\(quote)")?.upperBound else { continue }
        // `stroke-width` is no `width`.
        let before = tag[..<from].dropLast(name.count + 2).last
        guard before?.isWhitespace == true else { continue }
        return tag[from...].prefix { String($0) != quote }
      }
      return nil
    }
    if let text = value("width") {
      let number = text.hasSuffix("px") ? text.dropLast(2) : text
      if let width = Double(number), width > 0, width.isFinite { return width }
    }
    let parts = (value("viewBox") ?? "").split { $0 == " " || $0 == "," }
    guard parts.count == 4, let width = Double(parts[2]), width > 0, width.isFinite else {
      return nil
    }
    return width
  }

  package static func find(_ word: String, in bytes: [UInt8], from start: Int) -> Int? {
    let word = Array(word.utf8)
    var index = start
    while index + word.count <= bytes.count {
      if bytes[index] == word[0], bytes[index..<(index + word.count)].elementsEqual(word) {
        return index
      }
      index += 1
    }
    return nil
  }

  private static func isSpace(_ byte: UInt8) -> Bool { [9, 10, 13, 32].contains(byte) }

  private struct Writer {
    let bytes: [UInt8]
    let prefix: [UInt8]
    var output: [UInt8] = []
    var index = 0

    mutating func written() -> [UInt8] {
      output.reserveCapacity(bytes.count + bytes.count / 16)
      while index < bytes.count {
        if bytes[index] != UInt8(ascii: "<") {
          output.append(bytes[index])
          index += 1
        } else if let end = verbatim("<!--", "-->") ?? verbatim("<![CDATA[", "]]>") {
          output += bytes[index..<end]
          index = end
        } else {
          tag()
        }
      }
      return output
    }

    private func verbatim(_ head: String, _ tail: String) -> Int? {
      guard bytes[index...].starts(with: head.utf8) else { return nil }
      return find(tail, in: bytes, from: index).map { $0 + tail.utf8.count } ?? bytes.count
    }

    private mutating func tag() {
      var name: [UInt8] = []
      while index < bytes.count {
        let byte = bytes[index]
        output.append(byte)
        index += 1
        switch byte {
        case UInt8(ascii: ">"): return
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
          let end = bytes[index...].firstIndex(of: byte) ?? bytes.count
          output += value(bytes[index..<end], of: String(decoding: name, as: UTF8.self))
          index = end
          if index < bytes.count {
            output.append(byte)
            index += 1
          }
          name = []
        case UInt8(ascii: "="): break
        default:
          if InlineSVG.isSpace(byte) { name = [] } else { name.append(byte) }
        }
      }
    }

    private func value(_ value: ArraySlice<UInt8>, of name: String) -> [UInt8] {
      switch name {
      case "id": return prefix + value
      case "href", "xlink:href":
        return value.first == UInt8(ascii: "#")
          ? [value[value.startIndex]] + prefix
            + value.dropFirst() : Array(value)
      case "aria-labelledby", "aria-describedby", "aria-controls":
        return Array(
          value.split(whereSeparator: InlineSVG.isSpace).map { prefix + $0 }.joined(separator: [
            UInt8(ascii: " ")
          ]))
      default: break
      }
      var result: [UInt8] = []
      var rest = value
      while let hash = rest.firstIndex(of: UInt8(ascii: "#")) {
        result += rest[...hash]
        if rest[..<hash].suffix(4).elementsEqual("url(".utf8) { result += prefix }
        rest = rest[(hash + 1)...]
      }
      return result + rest
    }
  }
}
