internal import TritCore

/// Which points of the grid that the axes of a sweep span are run.
public enum SweepDesign: Sendable, Hashable {
  /// Every combination, the last axis fastest.
  case full
  /// A centre, and every other value of each axis with all other axes at the centre (Fisher's name
  /// for what it is not: a factorial design): 1 + Σ (values − 1) variants, no interactions seen.
  case oneFactorAtATime
  /// So many combinations, drawn without replacement by a seed, in the order of the grid.
  case random(count: Int, seed: UInt64)

  /// The words of `design:`, each with what it means.
  package static let words: [(name: String, summary: String)] = [
    ("full", "every combination"),
    (
      "one-factor-at-a-time",
      "a centre (what 'base' says of an axis, else its first value), and each other value alone"
    ),
    ("ofat", "short for one-factor-at-a-time"),
  ]

  init?(word: String) {
    switch word {
    case "full": self = .full
    case "one-factor-at-a-time", "ofat": self = .oneFactorAtATime
    default: return nil
    }
  }
}

/// The points of a grid that a design runs, as settings on top of `base`.
struct SweepPoints {
  let axes: [SweepAxis]
  let base: VariantSettings
  let design: SweepDesign

  /// Combinations in all; nil where no `Int` holds their number.
  private var total: Int? {
    axes.reduce(Optional(1)) { product, axis in
      guard let (value, overflow) = product?.multipliedReportingOverflow(by: axis.values.count)
      else { return nil }
      return overflow ? nil : value
    }
  }

  /// How many points the design has; nil for more than an `Int` holds.
  var count: Int? {
    switch design {
    case .full: total
    case .oneFactorAtATime: 1 + axes.reduce(0) { $0 + $1.values.count }
    case .random(let count, _): min(count, total ?? count)
    }
  }

  /// The points. Call it for a `count` that is bounded.
  var all: [VariantSettings] {
    switch design {
    case .full: (0..<(total ?? 0)).map(point)
    case .random(let count, let seed): drawn(count, seed: seed).map(point)
    case .oneFactorAtATime: oneFactorAtATime
    }
  }

  /// A combination by its number in the grid, the last axis fastest.
  private func point(_ number: Int) -> VariantSettings {
    var rest = number
    var choices: [Int] = []
    for axis in axes.reversed() {
      choices.append(rest % axis.values.count)
      rest /= axis.values.count
    }
    return zip(axes, choices.reversed()).reduce(VariantSettings()) { settings, pair in
      settings.overridden(by: pair.0.values[pair.1])
    }
  }

  /// `count` different numbers below `total`, ascending.
  private func drawn(_ count: Int, seed: UInt64) -> [Int] {
    let total = total ?? .max
    guard count < total else { return Array(0..<total) }
    var random = SeededRandom(seed: seed)
    // Floyd's: no number is drawn twice, and none of the grid has to be held.
    var chosen: Set<Int> = []
    for last in (total - count)..<total {
      let number = random.below(last + 1)
      if !chosen.insert(number).inserted { chosen.insert(last) }
    }
    return chosen.sorted()
  }

  private var oneFactorAtATime: [VariantSettings] {
    let centres = axes.map(centre)
    func point(_ changed: Int?, _ value: VariantSettings) -> VariantSettings {
      axes.indices.reduce(VariantSettings()) { settings, index in
        settings.overridden(by: index == changed ? value : centres[index])
      }
    }
    var points = [point(nil, VariantSettings())]
    var seen = Set(points.map { base.overridden(by: $0).identity })
    for (index, axis) in axes.enumerated() {
      for value in axis.values {
        let next = point(index, value)
        if seen.insert(base.overridden(by: next).identity).inserted { points.append(next) }
      }
    }
    return points
  }

  /// Where an axis stands while others vary: at what the base says, else at its first value.
  private func centre(_ axis: SweepAxis) -> VariantSettings {
    var own = VariantSettings()
    switch axis.key {
    case "model": own.model = base.model
    case "i2s-layout": own.i2sLayout = base.i2sLayout
    case "sampler": own.sampler = base.sampler
    case "threads": own.threads = base.threads
    case "seed": own.seed = base.seed
    case "training-seed": own.trainingSeed = base.trainingSeed
    // Overrides of layers add up: those of the base are there already.
    case "layers": if !base.layers.isEmpty { return own }
    default:
      let key = StageKey(rawValue: axis.key)
      if let choice = base.stages[key] { own.stages[key] = choice }
    }
    guard own.flattened.isEmpty else {
      own.positions = base.positions.filter { $0.key == axis.key }
      return own
    }
    return axis.values[0]
  }
}
