internal import Foundation

/// Finds places for names beside points: none on another, on a point, on a line, or off the marks.
struct LabelPlacer {
  typealias Point = (x: Double, y: Double)

  /// Where names may be.
  let bounds: PlotSheet.Box
  /// What no name may lie on: points and names.
  private(set) var boxes: [PlotSheet.Box] = []
  /// Lines that no name may lie on.
  private(set) var segments: [(from: Point, to: Point)] = []

  init(bounds: PlotSheet.Box) { self.bounds = bounds }

  /// A point with a symbol.
  mutating func avoid(point: Point, radius: Double = 6) {
    boxes.append(
      PlotSheet.Box(
        left: point.x - radius, top: point.y - radius, right: point.x + radius,
        bottom: point.y + radius))
  }

  mutating func avoid(from: Point, to: Point) { segments.append((from, to)) }

  mutating func avoid(_ box: PlotSheet.Box) { boxes.append(box) }

  /// A line through points.
  mutating func avoid(path: [Point]) {
    for (from, to) in zip(path, path.dropFirst()) { avoid(from: from, to: to) }
  }

  /// The nearest free place of `text` beside `point`, and a line to it where it is not next to the
  /// point. nil where there is none.
  mutating func place(
    _ text: String, at point: Point, ink: String = "black", size: Double = PlotSheet.letters,
    reach: [Double] = [9, 15, 24, 36, 54, 80]
  ) -> (note: PlotSheet.Note, leader: PlotSheet.Leader?)? {
    for distance in reach {
      for (dx, dy) in [
        (1.0, 0.0), (-1, 0), (1, -1), (1, 1), (-1, -1), (-1, 1), (0, -1), (0, 1),
      ] {
        let side: PlotSheet.Side = dx > 0 ? .left : dx < 0 ? .right : .center
        // Beside a point a name stands level with it; above and below it keeps clear of the symbol.
        let note = PlotSheet.Note(
          text: text, x: point.x + dx * distance * (dy == 0 ? 1 : 0.7),
          y: point.y + dy * (distance + (dx == 0 ? 4 : 0)) * (dx == 0 ? 1 : 0.9), side: side,
          ink: ink, size: size)
        guard isFree(note.box) else { continue }
        guard distance > 16 else {
          boxes.append(note.box)
          return (note, nil)
        }
        let end = (x: note.x - dx * 2, y: note.y - (dx == 0 ? dy * size * 0.6 : 0))
        let blocked = boxes.contains {
          Self.crosses($0, from: end, to: point) && !Self.holds($0, point)
        }
        if blocked { continue }
        boxes.append(note.box)
        segments.append((end, point))
        return (note, PlotSheet.Leader(from: end, to: point))
      }
    }
    return nil
  }

  private func isFree(_ box: PlotSheet.Box) -> Bool {
    bounds.holds(box) && !boxes.contains { $0.meets(box) }
      && !segments.contains { Self.crosses(box, from: $0.from, to: $0.to) }
  }

  private static func holds(_ box: PlotSheet.Box, _ point: Point) -> Bool {
    box.left <= point.x && point.x <= box.right && box.top <= point.y && point.y <= box.bottom
  }

  /// Whether a line has a point within the box (Liang and Barsky, 1984).
  static func crosses(_ box: PlotSheet.Box, from: Point, to: Point) -> Bool {
    var (enter, leave) = (0.0, 1.0)
    let (dx, dy) = (to.x - from.x, to.y - from.y)
    for (step, room) in [
      (-dx, from.x - box.left), (dx, box.right - from.x), (-dy, from.y - box.top),
      (dy, box.bottom - from.y),
    ] {
      if step == 0 {
        if room < 0 { return false }
      } else if step < 0 {
        enter = max(enter, room / step)
      } else {
        leave = min(leave, room / step)
      }
    }
    return enter <= leave
  }

  /// Heights for names in a column, in the order of `wanted`, `gap` apart and within `range`: each
  /// as near to where it should be as the others let it.
  static func spread(_ wanted: [Double], gap: Double, within range: ClosedRange<Double>) -> [Double]
  {
    let order = wanted.indices.sorted { wanted[$0] < wanted[$1] }
    let gap = min(gap, (range.upperBound - range.lowerBound) / Double(max(wanted.count - 1, 1)))
    var result = wanted
    var floor = range.lowerBound
    for index in order {
      result[index] = max(wanted[index], floor)
      floor = result[index] + gap
    }
    var ceiling = range.upperBound
    for index in order.reversed() {
      result[index] = min(result[index], ceiling)
      ceiling = result[index] - gap
    }
    return result
  }
}
