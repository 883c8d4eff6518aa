/// The built-in data sets `builtin:storyteller/train`, `/valid` and `/test`: disjoint stretches of
/// one stream of stories.
public struct StoryDataset: Sendable {
  /// What the stories are used for.
  public enum Split: String, CaseIterable, Sendable {
    /// Stories 0 to 2⁴⁰ − 1.
    case train
    /// Stories from 2⁴⁰ on.
    case valid
    /// Stories from 2⁴¹ on.
    case test
  }

  /// The seed of the stream that all three splits come from.
  public static let seed: UInt64 = 0x5354_4F52_5954_454C
  /// The split.
  public let split: Split

  /// The built-in data set of a split.
  public init(_ split: Split) { self.split = split }

  /// The data set that `builtin:storyteller/SPLIT` names, or nil for another name.
  public init?(named name: String) {
    let prefix = "builtin:storyteller/"
    guard name.hasPrefix(prefix), let split = Split(rawValue: String(name.dropFirst(prefix.count)))
    else { return nil }
    self.split = split
  }

  /// The training stories.
  public static var train: StoryDataset { StoryDataset(.train) }
  /// The validation stories.
  public static var valid: StoryDataset { StoryDataset(.valid) }
  /// The test stories.
  public static var test: StoryDataset { StoryDataset(.test) }

  /// `builtin:storyteller/test`.
  public var name: String { "builtin:storyteller/\(split.rawValue)" }

  /// Story numbers of the split in the stream.
  public var positions: Range<UInt64> {
    switch split {
    case .train: 0..<(1 << 40)
    case .valid: (1 << 40)..<(1 << 41)
    case .test: (1 << 41)..<(1 << 42)
    }
  }

  /// A stream of the split's stories, endless in practice, beginning with its story number
  /// `offset`.
  public func makeGenerator(from offset: Int = 0) -> StoryGenerator {
    StoryGenerator(
      seed: StoryDataset.seed, position: positions.lowerBound + UInt64(max(0, offset)))
  }

  /// The first `count` stories of the split, from its story number `offset` on.
  public func stories(_ count: Int, from offset: Int = 0) -> [Story] {
    var generator = makeGenerator(from: offset)
    return (0..<max(0, count)).map { _ in generator.next() }
  }

  /// The first `count` stories as one text. The stories are separated by `separator`; a tokenizer
  /// that knows an end-of-text token should encode the stories one by one and put the token
  /// between them.
  public func text(stories count: Int, from offset: Int = 0, separator: String = "\n\n") -> String {
    var generator = makeGenerator(from: offset)
    var result = ""
    for index in 0..<max(0, count) {
      if index > 0 { result += separator }
      result += generator.next().text
    }
    return result
  }

  /// The tasks of the first stories, at most `limit` in all, and at most one of a kind per story.
  public func tasks(_ limit: Int, kinds: [StoryTask.Kind] = StoryTask.Kind.allCases) -> [StoryTask]
  {
    var generator = makeGenerator()
    var tasks: [StoryTask] = []
    var empty = 0
    while tasks.count < limit, empty < 10_000 {
      let found = generator.next().tasks
      let before = tasks.count
      for kind in kinds where tasks.count < limit {
        if let task = found.last(where: { $0.kind == kind }) { tasks.append(task) }
      }
      empty = tasks.count == before ? empty + 1 : 0
    }
    return tasks
  }
}
