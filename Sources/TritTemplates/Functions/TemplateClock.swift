#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The time that `strftime_now` tells: a date and a time of day without a zone.
public struct TemplateClock: Sendable, Equatable {
  /// The year, 1…9999.
  public let year: Int
  /// The month, 1…12.
  public let month: Int
  /// The day of the month, from 1.
  public let day: Int
  /// The hour, 0…23.
  public let hour: Int
  /// The minute, 0…59.
  public let minute: Int
  /// The second, 0…59.
  public let second: Int

  /// A time; nil where there is no such.
  public init?(
    year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0
  ) {
    guard (1...9999).contains(year), (1...12).contains(month),
      (1...Self.days(of: month, in: year)).contains(day), (0...23).contains(hour),
      (0...59).contains(minute), (0...59).contains(second)
    else { return nil }
    (self.year, self.month, self.day) = (year, month, day)
    (self.hour, self.minute, self.second) = (hour, minute, second)
  }

  /// A time as ISO 8601 writes it: `2026-01-05`, `2026-01-05T09:03` or `2026-01-05T09:03:07`, with
  /// a blank for the `T` too. nil for anything else.
  public init?(_ text: String) {
    let pattern = #/(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d))?)?/#
    guard let match = text.wholeMatch(of: pattern) else { return nil }
    func number(_ part: Substring?) -> Int { part.flatMap { Int($0) } ?? 0 }
    self.init(
      year: number(match.1), month: number(match.2), day: number(match.3), hour: number(match.4),
      minute: number(match.5), second: number(match.6))
  }

  /// The time here and now.
  public static var now: TemplateClock {
    var seconds = time(nil)
    var parts = tm()
    localtime_r(&seconds, &parts)
    return TemplateClock(
      year: Int(parts.tm_year) + 1900, month: Int(parts.tm_mon) + 1, day: Int(parts.tm_mday),
      hour: Int(parts.tm_hour), minute: Int(parts.tm_min), second: min(Int(parts.tm_sec), 59))
      ?? TemplateClock(epoch: ())
  }

  private init(epoch: ()) { (year, month, day, hour, minute, second) = (1970, 1, 1, 0, 0, 0) }

  private static func isLeap(_ year: Int) -> Bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
  }

  private static func days(of month: Int, in year: Int) -> Int {
    [31, isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
  }

  /// Day of the year, from 0.
  var dayOfYear: Int { (1..<month).reduce(day - 1) { $0 + Self.days(of: $1, in: year) } }

  /// Day of the week, Sunday 0.
  var weekday: Int {
    let before = year - 1
    return (before * 365 + before / 4 - before / 100 + before / 400 + dayOfYear + 1) % 7
  }

  /// Year and week of ISO 8601: weeks begin on Monday, the first has the year's first Thursday.
  var isoWeek: (year: Int, week: Int) {
    let monday = (weekday + 6) % 7
    let week = (dayOfYear - monday + 10) / 7
    func weeks(_ year: Int) -> Int {
      let first = TemplateClock(year: year, month: 1, day: 1)?.weekday ?? 0
      return first == 4 || (first == 3 && Self.isLeap(year)) ? 53 : 52
    }
    if week < 1 { return (year - 1, weeks(max(1, year - 1))) }
    return week > weeks(year) ? (year + 1, 1) : (year, week)
  }

  private static let months = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
  ]
  private static let weekdays = [
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
  ]

  /// `strftime` in the C locale, with glibc's flags (`-`, `_`, `0`, `^`, `#`) and widths.
  func text(_ format: Scalars) throws -> String {
    var result = ""
    var index = 0
    while index < format.count {
      guard format[index] == "%" else {
        result.unicodeScalars.append(format[index])
        index += 1
        continue
      }
      let start = index
      index += 1
      var flag: Unicode.Scalar?
      var isUpper = false
      while index < format.count, "-_0^#".unicodeScalars.contains(format[index]) {
        if format[index] == "^" { isUpper = true } else { flag = format[index] }
        index += 1
      }
      var width = 0
      while index < format.count, PythonCharacter.isDigit(format[index]) {
        width = min(width * 10 + Int(format[index].value - 0x30), 1000)
        index += 1
      }
      if index < format.count, format[index] == "E" || format[index] == "O" { index += 1 }
      guard index < format.count else {
        result += Array(format[start...]).string
        break
      }
      guard let part = part(format[index], flag, width) else {
        throw TemplateFault(
          .unsupported, "the format '\(Array(format[start...index]).string)' of strftime_now")
      }
      result +=
        isUpper || (flag == "#" && format[index] != "p")
        ? part.uppercased()
        : flag == "#" ? part.lowercased() : part
      index += 1
    }
    return result
  }

  private func part(_ letter: Unicode.Scalar, _ flag: Unicode.Scalar?, _ width: Int) -> String? {
    func number(_ value: Int, _ digits: Int, _ fill: Character = "0") -> String {
      let text = String(value)
      let fill: Character? = flag == "-" ? nil : flag == "_" ? " " : flag == "0" ? "0" : fill
      guard let fill else { return text }
      return String(repeating: fill, count: max(0, max(digits, width) - text.count)) + text
    }
    func word(_ text: String) -> String {
      String(repeating: flag == "0" ? "0" : " ", count: max(0, width - text.count)) + text
    }
    func all(_ format: String) -> String? { (try? text(Scalars(format))).map(word) }
    let half = hour % 12 == 0 ? 12 : hour % 12
    switch letter {
    case "%": return word("%")
    case "n": return word("\n")
    case "t": return word("\t")
    case "a": return word(String(Self.weekdays[weekday].prefix(3)))
    case "A": return word(Self.weekdays[weekday])
    case "b", "h": return word(String(Self.months[month - 1].prefix(3)))
    case "B": return word(Self.months[month - 1])
    case "p": return word(hour < 12 ? "AM" : "PM")
    case "P": return word(hour < 12 ? "am" : "pm")
    case "C": return number(year / 100, 2)
    case "y": return number(year % 100, 2)
    case "Y": return number(year, width)
    case "m": return number(month, 2)
    case "d": return number(day, 2)
    case "e": return number(day, 2, " ")
    case "H": return number(hour, 2)
    case "k": return number(hour, 2, " ")
    case "I": return number(half, 2)
    case "l": return number(half, 2, " ")
    case "M": return number(minute, 2)
    case "S": return number(second, 2)
    case "f": return "000000"
    case "j": return number(dayOfYear + 1, 3)
    case "u": return number(weekday == 0 ? 7 : weekday, 1)
    case "w": return number(weekday, 1)
    case "U": return number((dayOfYear + 7 - weekday) / 7, 2)
    case "W": return number((dayOfYear + 7 - (weekday + 6) % 7) / 7, 2)
    case "V": return number(isoWeek.week, 2)
    case "G": return number(isoWeek.year, width)
    case "g": return number(isoWeek.year % 100, 2)
    case "c": return all("%a %b %e %H:%M:%S %Y")
    case "D", "x": return all("%m/%d/%y")
    case "F": return all("%Y-%m-%d")
    case "R": return all("%H:%M")
    case "T", "X": return all("%H:%M:%S")
    case "r": return all("%I:%M:%S %p")
    case "z", "Z": return ""
    default: return nil
    }
  }
}
