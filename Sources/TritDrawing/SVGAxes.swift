internal import Foundation

/// A pair of axes on a canvas: where numbers lie.
///
/// ```
/// let axes = SVGAxes(x: 0...1.6, y: 2...6, left: 34, top: 40, right: 388, bottom: 160)
/// canvas.axes(axes, xTicks: [0, 0.5, 1, 1.5], yTicks: [2, 4, 6], x: "threshold in γ", y: "dB")
/// canvas.polyline(thresholds.map { axes.point($0, snr($0)) }, .plus)
/// ```
public struct SVGAxes: Sendable {
  /// The numbers at the left and at the right edge.
  public let x: ClosedRange<Double>
  /// The numbers at the lower and at the upper edge.
  public let y: ClosedRange<Double>
  /// The edges on the canvas, in its pixels.
  public let left: Double, top: Double, right: Double, bottom: Double
  private let isLogarithmic: (x: Bool, y: Bool)

  /// Axes of these ranges between these edges. `logarithmic` names the axes whose steps are factors
  /// (`x`, `y`, `xy`); a range that is not above 0 has none.
  public init(
    x: ClosedRange<Double>, y: ClosedRange<Double>, left: Double, top: Double, right: Double,
    bottom: Double, logarithmic: String = ""
  ) {
    (self.x, self.y) = (x, y)
    (self.left, self.top, self.right, self.bottom) = (left, top, right, bottom)
    isLogarithmic = (
      logarithmic.contains("x") && x.lowerBound > 0, logarithmic.contains("y") && y.lowerBound > 0
    )
  }

  /// Where a pair of numbers lies, also beyond the edges; not finite where a logarithm is not.
  public func point(_ x: Double, _ y: Double) -> (x: Double, y: Double) {
    (
      left + Self.share(x, self.x, isLogarithmic.x) * (right - left),
      bottom - Self.share(y, self.y, isLogarithmic.y) * (bottom - top)
    )
  }

  private static func share(
    _ value: Double, _ range: ClosedRange<Double>, _ isLogarithmic: Bool
  ) -> Double {
    func scaled(_ value: Double) -> Double { isLogarithmic ? log(value) : value }
    let (low, high) = (scaled(range.lowerBound), scaled(range.upperBound))
    return high > low ? (scaled(value) - low) / (high - low) : 0.5
  }
}

extension SVGCanvas {
  /// Draws axes: a faint line for each of `yTicks` with its number at the left, a mark for each of
  /// `xTicks` with its number below, and what the axes are called. `format` makes words of a
  /// number; without it they are as short as they can be.
  public mutating func axes(
    _ axes: SVGAxes, xTicks: [Double], yTicks: [Double], x: String = "", y: String = "",
    format: ((Double) -> String)? = nil
  ) {
    let format = format ?? { String(format: "%g", $0) }
    for tick in yTicks {
      let height = axes.point(axes.x.lowerBound, tick).y
      line((axes.left, height), (axes.right, height), .line, opacity: 0.3)
      text(format(tick), x: axes.left - 5, y: height + 4, .faint, anchor: .end, size: 11)
    }
    line((axes.left, axes.bottom), (axes.right, axes.bottom), .line)
    for tick in xTicks {
      let place = axes.point(tick, axes.y.lowerBound).x
      line((place, axes.bottom), (place, axes.bottom + 3), .line)
      text(format(tick), x: place, y: axes.bottom + 15, .faint, anchor: .middle, size: 11)
    }
    if !y.isEmpty { text(y, x: axes.left - 5, y: axes.top - 12, .faint, anchor: .end) }
    if !x.isEmpty { text(x, x: axes.right, y: axes.bottom + 30, .faint, anchor: .end) }
  }
}
