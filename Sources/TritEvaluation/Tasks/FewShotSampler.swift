import TritCore
import TritFormats

/// Picks the examples that stand before a question, as lm-evaluation-harness 0.4.13 does
/// (`api/samplers.py`): one generator for all questions of a task, in their order.
struct FewShotSampler {
  /// How examples are picked.
  enum Method: Sendable {
    /// At random, from a split that holds none of the questions.
    case random
    /// At random, one more than needed, and the question itself taken out where it was drawn: for
    /// tasks without a test split, where the harness takes the examples' split for that of the
    /// questions.
    case randomWithoutQuestion
    /// The first of the split, for all questions the same.
    case first
  }

  let task: HarnessTask
  let pool: TaskRecords
  let count: Int
  private var random: PythonRandom

  /// Throws `badData` where the pool has too few.
  init(_ task: HarnessTask, _ pool: TaskRecords, count: Int, seed: UInt64) throws {
    self.task = task
    self.pool = pool
    self.count = count
    random = PythonRandom(seed: seed)
    let needed = count + (task.examples == .randomWithoutQuestion ? 1 : 0)
    guard pool.count >= needed else {
      throw LabError(
        .badData, "too few examples for \(count) before each question of \(task.name)",
        at: pool.name, expected: "\(needed) records or more", got: "\(pool.count)",
        advice: "give a larger split, or a smaller --num-fewshot")
    }
  }

  /// The examples for a question, `count` of them.
  mutating func examples(for question: TaskRecord) throws -> [TaskDocument] {
    guard count > 0 else { return [] }
    switch task.examples {
    case .first: return try (0..<count).map { try document($0) }
    case .random: return try random.sample(count, of: pool.count).map { try document($0) }
    case .randomWithoutQuestion:
      let own = question.canonical
      func isOther(_ index: Int) throws -> Bool { try pool.record(index).canonical != own }
      var drawn = try random.sample(count + 1, of: pool.count).filter(isOther)
      if drawn.count < count {
        // The question stands in the pool more than once: the harness draws again from the others.
        let others = try (0..<pool.count).filter(isOther)
        guard others.count >= count else {
          throw LabError(
            .badData, "too few examples that are not the question itself", at: pool.name,
            expected: "\(count) other records or more", got: "\(others.count)")
        }
        drawn = random.sample(count, of: others.count).map { others[$0] }
      }
      return try drawn.prefix(count).map { try document($0) }
    }
  }

  private func document(_ index: Int) throws -> TaskDocument {
    try task.document(try pool.record(index))
  }
}
