internal import Foundation

/// An axis: its range, its ticks, and where on it a value stands.
struct PlotAxis {
  /// Both ends.
  let low: Double, high: Double
  /// Whether equal steps are equal factors.
  let isLog: Bool
  /// Where a tick is, and what it says.
  let ticks: [(value: Double, text: String)]

  /// gnuplot takes what is beyond half of the largest double for undefined, and draws nothing there.
  private static let largest = 1e307

  /// An axis around the finite ones of `values`, with `room` (a share of the whole) at either end
  /// and at most `most` ticks. A logarithmic one is made of what is above zero, and is linear where
  /// nothing is.
  init(
    _ values: [Double], isLog wanted: Bool = false, fromZero: Bool = false, room: Double = 0.06,
    most: Int = 6
  ) {
    let finite = values.filter { $0.isFinite && (!wanted || $0 > 0) }
    let lowest = finite.min() ?? 0
    let highest = finite.max() ?? 1
    isLog = wanted && lowest > 0
    if isLog {
      let ends = Self.logEnds(lowest, highest, room: room)
      (low, high) = ends
      ticks = Self.logTicks(ends.0, ends.1, most: most)
      return
    }
    let bottom = fromZero ? min(lowest, 0) : lowest
    // Halves: the range of doubles itself must not overflow.
    // Values that are equal but for rounding get an axis of one percent around them.
    let span = highest / 2 - bottom / 2
    let half = span > abs(highest) * 1e-7 ? span : max(abs(highest) * 0.005, 1e-9)
    let step = Self.step(half * 2, most: most)
    low = fromZero && lowest >= 0 ? 0 : max(bottom - 2 * room * half, -Self.largest)
    high = min(highest + 2 * room * half, Self.largest)
    let (first, last) = ((low / step).rounded(.up), (high / step).rounded(.down))
    guard last >= first, last - first < 100 else {
      ticks = [(lowest, Figures.plain(lowest))]
      return
    }
    // All in one form: '800000' beside '1e6' would not be seen to be near.
    let isLarge = max(abs(first), abs(last)) * step >= 1e6
    ticks = (0...Int(last - first)).map { index in
      let value = (first + Double(index)) * step
      return (
        value, isLarge && value != 0 ? Self.word(value, step: step) : Self.text(value, step: step)
      )
    }
  }

  /// Ticks that are given: sizes that occur.
  init(low: Double, high: Double, isLog: Bool, ticks: [(value: Double, text: String)]) {
    (self.low, self.high, self.isLog, self.ticks) = (low, high, isLog, ticks)
  }

  /// The axis with every second tick, or third, so that its words have room side by side on so many
  /// pixels.
  func thinned(across width: Double, size: Double) -> PlotAxis {
    thinned { one, other in
      let words = PlotText.width(one.text, size: size) + PlotText.width(other.text, size: size)
      return abs(place(other.value) - place(one.value)) * width > words / 2 + 6
    }
  }

  /// The same of an upright axis.
  func thinned(along height: Double, size: Double) -> PlotAxis {
    thinned { one, other in
      abs(place(other.value) - place(one.value)) * height > size * 1.4
    }
  }

  private typealias Tick = (value: Double, text: String)

  private func thinned(_ haveRoom: (Tick, Tick) -> Bool) -> PlotAxis {
    for step in 1...max(ticks.count, 1) {
      let kept = ticks.enumerated().filter { $0.offset % step == 0 }.map(\.element)
      if zip(kept, kept.dropFirst()).allSatisfy(haveRoom) {
        return PlotAxis(low: low, high: high, isLog: isLog, ticks: kept)
      }
    }
    return self
  }

  /// Where `value` stands, 0 at the lower end and 1 at the upper; outside values are moved to the
  /// ends.
  func place(_ value: Double) -> Double {
    let share =
      isLog
      ? (log(max(value, low)) - log(low)) / (log(high) - log(low))
      : (value / 2 - low / 2) / (high / 2 - low / 2)
    return share.isFinite ? min(max(share, 0), 1) : 0
  }

  /// The value, moved into the range: the end of an error bar that would leave it.
  func inside(_ value: Double) -> Double { min(max(value, low), high) }

  /// `('0.5' 0.5, …)`, as `set xtics` takes it; without words where `bare`.
  func tics(bare: Bool = false) -> String {
    "(" + ticks.map { "'\(bare ? "" : $0.text)' \($0.value)" }.joined(separator: ", ") + ")"
  }

  private static func logEnds(_ lowest: Double, _ highest: Double, room: Double) -> (
    Double, Double
  ) {
    let factor = max(pow(highest / lowest, room), 1.05)
    // Perplexities of broken variants come near the end of the range: both ends stay numbers.
    return (
      max(lowest / factor, .leastNormalMagnitude), min(highest * factor, Self.largest)
    )
  }

  private static func logTicks(_ low: Double, _ high: Double, most: Int) -> [(Double, String)] {
    let decades = Array(Int(log10(low).rounded(.down))...Int(log10(high).rounded(.up)))
    for steps: [Double] in [[1, 1.5, 2, 3, 4, 5, 6, 8], [1, 2, 5], [1, 3], [1]] {
      let values = decades.flatMap { decade in steps.map { $0 * pow(10, Double(decade)) } }
        .filter { $0 >= low && $0 <= high }
      if values.count <= most, values.count >= 2 || steps.count == 8 {
        if values.count < 2 { break }
        return values.map { ($0, word($0)) }
      }
    }
    let stride = max(1, (decades.count + most - 1) / most)
    let powers = decades.filter { $0 % stride == 0 }.map { pow(10, Double($0)) }
      .filter { $0 >= low && $0 <= high }
    if powers.count >= 2 { return powers.map { ($0, word($0)) } }
    // Less than a decade, between two of its ticks: those of a linear axis.
    let step = step(high - low, most: most)
    let first = (low / step).rounded(.up)
    return (0..<most + 1).map { (first + Double($0)) * step }.filter { $0 <= high }
      .map { ($0, text($0, step: step)) }
  }

  /// 1, 2 or 5 times a power of ten, so that `span` has at most `most` of them.
  private static func step(_ span: Double, most: Int) -> Double {
    let rough = min(span, .greatestFiniteMagnitude) / Double(max(most, 1))
    let power = pow(10, log10(max(rough, .leastNormalMagnitude)).rounded(.down))
    for factor in [1.0, 2, 5] where factor * power >= rough { return factor * power }
    return 10 * power
  }

  /// A large value with as many digits as tell it from its neighbours a step away: `1.25e6`.
  private static func word(_ value: Double, step: Double) -> String {
    let power = Int(log10(abs(value)).rounded(.down))
    let digits = max(0, power - Int(log10(step).rounded(.down)))
    guard digits <= 12 else { return word(value) }
    return String(format: "%.\(digits)e", value).replacing("e+0", with: "e")
      .replacing("e+", with: "e").replacing("e-0", with: "e-").replacing("-", with: "−")
  }

  /// `1e-6`, not `1.0e-6`.
  private static func word(_ value: Double) -> String {
    Figures.plain(value).replacing(".0e", with: "e").replacing("-", with: "−")
  }

  /// As many decimals as the step has.
  private static func text(_ value: Double, step: Double) -> String {
    let size = abs(value)
    guard size >= step / 2 else { return "0" }
    let digits = max(0, Int((-log10(step)).rounded(.up)))
    // Neighbours never say the same: as many digits as a step has.
    guard size < 1e6, digits <= 4 || (size >= 1e-2 && digits <= 12) else {
      return word(value, step: step)
    }
    let text = Figures.fixed(value, digits)
    return text.replacing("-", with: "−")
  }
}
