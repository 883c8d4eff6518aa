internal import TritCore

/// Names as they stand in what gnuplot reads: strings of its scripts, cells of its data.
///
/// Titles and labels come from experiment files, models and records, and may hold anything.
/// Pictures show them as they are; enhanced markup is off in every script (`noenhanced`), so
/// `{}_^@` mean nothing there.
package enum GnuplotText {
  /// A name in the form in which it is drawn: one line, what is hidden written out, and not longer
  /// than there is room for.
  package static func shown(_ text: String, limit: Int = 44) -> String {
    let plain = VisibleText.line(
      String(text.map { $0 == "\t" || $0.isNewline ? " " : $0 }))
    return plain.count > limit ? String(plain.prefix(limit - 1)) + "…" : plain
  }

  /// A name as it is said in a description, where there is room for more.
  package static func spoken(_ text: String) -> String { shown(text, limit: 160) }

  /// A string of a script. In single quotes, gnuplot 5.4 misreads a doubled quote at the beginning;
  /// in double quotes, what has a meaning is written as octal numbers (`help quotes`,
  /// `help substitution`).
  package static func string(_ text: String) -> String {
    var result = "\""
    for scalar in VisibleText.line(text).unicodeScalars {
      switch scalar {
      case "\"", "'", "\\", "`", "@", "$": result += octal(scalar)
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  /// A cell of a table that is separated by tabs, of any length. Backslashes and double quotes mean
  /// the same there as in a script, a single quote at the beginning does too, and nothing at all
  /// shifts no column but is shown as a blank.
  package static func cell(_ text: String) -> String {
    var result = ""
    for scalar in VisibleText.line(text).unicodeScalars {
      switch scalar {
      case "\"", "\\": result += octal(scalar)
      case "'" where result.isEmpty: result += octal(scalar)
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result.isEmpty ? " " : result
  }

  private static func octal(_ scalar: Unicode.Scalar) -> String {
    // gnuplot reads up to four digits where the first is 0, else up to three: a digit that follows
    // must not count.
    let digits = String(scalar.value, radix: 8)
    return "\\"
      + (digits.count == 3 ? digits : String(repeating: "0", count: 4 - digits.count) + digits)
  }
}
