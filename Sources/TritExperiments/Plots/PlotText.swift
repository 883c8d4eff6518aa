internal import Foundation
internal import TritCore

/// How wide texts are on a figure, before anything draws them.
///
/// Widths are those of DejaVu Sans, the widest of the usual sans-serif faces: what fits there fits
/// in Helvetica, Liberation and Arial too. Lengths are pixels of the SVG.
package enum PlotText {
  /// The width of one line of `text` in letters of `size`.
  package static func width(_ text: String, size: Double) -> Double {
    text.reduce(0) { $0 + ems($1) } * size
  }

  /// The text, with an ellipsis in place of what does not fit into `room`.
  package static func fit(_ text: String, room: Double, size: Double) -> String {
    guard width(text, size: size) > room else { return text }
    var kept = ""
    var used = ems("…") * size
    for letter in text {
      used += ems(letter) * size
      guard used <= room else { break }
      kept.append(letter)
    }
    return kept + "…"
  }

  /// Names, each cut to `room`, so that those that differ still do: where an ellipsis at the end
  /// would make them equal, it stands in the middle, or in place of the beginning that they share.
  package static func fit(names: [String], room: Double, size: Double) -> [String] {
    let plain = names.map { fit(GnuplotText.shown($0), room: room, size: size) }
    let different = Set(names).count
    guard Set(plain).count < different else { return plain }
    let whole = names.map { GnuplotText.shown($0, limit: 200) }
    let tooWide = whole.filter { width($0, size: size) > room }
    let shared = tooWide.dropFirst().reduce(tooWide.first ?? "") { $0.commonPrefix(with: $1) }.count
    let forms = [
      plain, whole.map { fit(middle: $0, room: room, size: size) },
      whole.map { text in
        width(text, size: size) <= room
          ? text : fit("…" + text.dropFirst(shared), room: room, size: size)
      },
      whole.map { text in
        width(text, size: size) <= room
          ? text : fit(middle: "…" + text.dropFirst(shared), room: room, size: size)
      },
    ]
    return forms.first { Set($0).count == different }
      ?? forms.max { Set($0).count < Set($1).count } ?? plain
  }

  /// The text, with an ellipsis in its middle where it does not fit into `room`.
  private static func fit(middle text: String, room: Double, size: Double) -> String {
    guard width(text, size: size) > room else { return text }
    var (head, tail) = ("", "")
    var left = room - ems("…") * size
    var (front, back) = (text[...], text[...])
    // A letter of the end for each of the beginning: what tells variants apart is at either.
    while let first = front.popFirst(), let last = back.popLast() {
      left -= ems(last) * size
      guard left >= 0 else { break }
      tail.insert(last, at: tail.startIndex)
      left -= ems(first) * size
      guard left >= 0 else { break }
      head.append(first)
    }
    return head + "…" + tail
  }

  /// The width of the widest text.
  static func widest(_ texts: [String], size: Double) -> Double {
    texts.map { width($0, size: size) }.max() ?? 0
  }

  private static func ems(_ letter: Character) -> Double {
    guard let scalar = letter.unicodeScalars.first else { return 0 }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format, .control: return 0
    default: break
    }
    guard scalar.isASCII else {
      switch scalar.value {
      // CJK, kana, Hangul, full-width forms, emoji and symbols are a square or more.
      case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
        0xFF00...0xFFE6:
        return 1.05
      case 0x1F000...0x1FAFF: return 1.4
      case 0xB7: return 0.32
      case 0xC0...0x24F: return scalar.properties.isUppercase ? 0.78 : 0.65
      case 0x2013, 0xB5: return 0.64
      default: return 1
      }
    }
    switch letter {
    case "i", "j", "l", "'": return 0.28
    case "I", "|", " ", ".", ",", ":", ";", "/", "\\": return 0.34
    case "f", "t", "r", "(", ")", "[", "]", "-", "!": return 0.41
    case "J", "\"", "*", "_", "s", "c", "k", "z", "?", "`", "^", "$": return 0.58
    case "m", "w", "M", "W", "%", "@": return 1.02
    case "&": return 0.79
    case "+", "<", ">", "=", "~", "#": return 0.84
    default: return scalar.properties.isUppercase ? 0.79 : 0.64
    }
  }
}
