import Foundation
import Testing
import TritLab
import _TritTestSupport

@Suite struct TaskAccuracyTests {
  private let model = BigramModel.hashed()

  private func task(
    _ context: String, _ choices: [String], _ answer: Int = 0, kind: String = "who"
  ) -> MultipleChoiceTask {
    MultipleChoiceTask(kind: kind, context: context, choices: choices, answer: answer)
  }

  /// ln p of letter `next` after letter `last` by the table, in double precision.
  private func logProbability(_ next: Character, after last: Character) -> Double {
    func index(_ letter: Character) -> Int { Int(letter.asciiValue ?? 97) - 97 }
    let row = model.table[index(last)].map(Double.init)
    return row[index(next)] - log(row.reduce(0) { $0 + exp($1) })
  }

  private func logProbability(_ text: String, after last: Character) -> Double {
    zip(String(last) + text, text).reduce(0) { $0 + logProbability($1.1, after: $1.0) }
  }

  @Test func aChoiceIsScoredByItsTokensAfterTheContext() throws {
    let result = try TaskEvaluation.measure(
      model, tasks: [task("abc", ["d", "ef", "ghi"]), task("dab", ["b", "cd"], 1)])
    #expect(result.scores.count == 2)
    for (score, choices) in zip(result.scores, [["d", "ef", "ghi"], ["b", "cd"]]) {
      let last: Character = choices.count == 3 ? "c" : "b"
      for (value, choice) in zip(score.logProbabilities, choices) {
        #expect(agrees(value, logProbability(choice, after: last)), "\(choice)")
      }
      #expect(score.byteCounts == choices.map(\.utf8.count))
      #expect(!score.wasTruncated)
    }
  }

  @Test func accuracyComparesSumsAndItsNormsComparesThemByLength() throws {
    func score(_ sums: [Double], _ bytes: [Int], _ answer: Int, _ kind: String) -> TaskScore {
      TaskScore(
        kind: kind, logProbabilities: sums, characterCounts: bytes, byteCounts: bytes,
        answer: answer, wasTruncated: false)
    }
    let scores = [
      // The longer one is likelier a byte.
      score([-3, -4], [1, 8], 0, "who"), score([-3, -4], [1, 8], 1, "who"),
      score([-1, -2], [2, 2], 0, "count"), score([-5, -2, -3, -9], [2, 2, 2, 2], 1, "count"),
    ]
    #expect(scores.map(\.isRight) == [true, false, true, true])
    #expect(scores.map(\.isRightByByte) == [false, true, true, true])
    #expect(scores.map(\.isRightByCharacter) == [false, true, true, true])
    let result = TaskResult(scores: scores, tokensRun: 0, tokensScored: 0, seconds: 0)
    #expect(result.total.count == 4 && result.total.accuracy.value == 0.75)
    // √(p (1 − p) / (n − 1)), lm-evaluation-harness's standard error of a mean.
    #expect(agrees(result.total.accuracy.error, 0.25))
    #expect(agrees(result.total.chance, (0.5 + 0.5 + 0.5 + 0.25) / 4))
    #expect(result.kinds.map(\.kind) == ["who", "count"])
    #expect(result.kinds.map(\.accuracy.value) == [0.5, 1])
    #expect(result.kinds[1].chance == 0.375)
    #expect(result.total.byTotal.interval == ShareInterval(3, of: 4))
    // Two of two: an error of 0 says nothing, the interval does.
    #expect(result.kinds[1].accuracy.error == 0)
    #expect(abs(try #require(result.kinds[1].byTotal.interval).lower - 0.3424) < 5e-5)
  }

  /// lm-evaluation-harness 0.4.13, `process_results`: acc_norm divides by Python's len(choice),
  /// which counts code points, acc_bytes by len(choice.encode("utf-8")); numpy's argmax takes the
  /// first of equal ones.
  @Test func lengthsAreCodePointsAndBytes() throws {
    // Python: len and len of UTF-8 of the choice without the delimiter in front.
    for (choice, characters, bytes) in [
      (" éé", 2, 4), (" qqqq", 4, 4), (" e\u{301}", 2, 3), (" 👩‍👧", 3, 11), (" 🇫🇷", 2, 8),
      ("\r\n", 2, 2), ("  two", 4, 4), ("no", 2, 2), (" ", 1, 1), ("中文", 2, 6),
    ] {
      let codes = CodePointTokenizer()
      let flat = BigramModel(
        Array(repeating: Array(repeating: 0, count: 8), count: 8), tokenizer: codes)
      let score = try TaskEvaluation.measure(flat, tasks: [task("x", [choice, "other"])]).scores[0]
      #expect(score.characterCounts[0] == characters, "\(choice)")
      #expect(score.byteCounts[0] == bytes, "\(choice)")
    }
    // The four bytes of each are equally many, the characters are not: −6 / 2 < −7 / 4, but −6 >
    // −7.
    let score = TaskScore(
      kind: "all", logProbabilities: [-6, -7], characterCounts: [2, 4], byteCounts: [4, 4],
      answer: 0, wasTruncated: false)
    #expect(score.isRight && !score.isRightByCharacter && score.isRightByByte)
    let tied = TaskScore(
      kind: "all", logProbabilities: [-2, -4], characterCounts: [1, 2], byteCounts: [1, 2],
      answer: 0, wasTruncated: false)
    #expect(tied.isRightByCharacter && tied.isRightByByte)
  }

  /// "bc" is one token of `SpanningTokenizer`. By hand, with BOS 0 and letters from 0:
  /// "abcd" is 0 0 15 3, "abd" is 0 0 1 3, "ab" alone is 0 0 1.
  @Test func aTokenThatSpansContextAndChoiceIsScoredOrCut() throws {
    let model = BigramModel(model.table, tokenizer: SpanningTokenizer())
    let question = task("ab", ["cd", "d"])
    func p(_ next: Int, after last: Int) -> Double {
      let row = model.table[last].map(Double.init)
      return row[next] - log(row.reduce(0) { $0 + exp($1) })
    }
    // Common to all is 0 0: the spanning token is scored, and the letter b for the other choice.
    let ours = try TaskEvaluation.measure(model, tasks: [question]).scores[0]
    #expect(agrees(ours.logProbabilities[0], p(15, after: 0) + p(3, after: 15)))
    #expect(agrees(ours.logProbabilities[1], p(1, after: 0) + p(3, after: 1)))
    // The harness reads 0 0 1 and scores what comes after three tokens: d in both, after b.
    let theirs = try TaskEvaluation.measure(model, tasks: [question], split: .lmEval).scores[0]
    #expect(agrees(theirs.logProbabilities[0], p(3, after: 1)))
    #expect(theirs.logProbabilities[0] == theirs.logProbabilities[1])
    // White space at the end goes to the choice there; the letter o stands for it.
    let spaced = try TaskEvaluation.measure(
      model, tasks: [task("ab ", ["c", "d"])], split: .lmEval
    ).scores[0]
    #expect(agrees(spaced.logProbabilities[0], p(14, after: 1) + p(2, after: 14)))
    let kept = try TaskEvaluation.measure(model, tasks: [task("ab ", ["c", "d"])]).scores[0]
    #expect(agrees(kept.logProbabilities[0], p(2, after: 14)))
    // Nothing is left to score where the spanning token ends the choice: the harness stops there
    // too.
    let nothing = #expect(throws: LabError.self) {
      try TaskEvaluation.measure(model, tasks: [task("ab", ["c", "d"])], split: .lmEval)
    }
    #expect(nothing?.advice?.contains("--split") == true)
    #expect(try TaskEvaluation.measure(model, tasks: [task("ab", ["c", "d"])]).scores.count == 1)
  }

  /// The harness keeps the last tokens for each choice by itself.
  @Test func aLongContextIsCutForEachChoiceByTheHarness() throws {
    let short = BigramModel(model.table, contextLength: 4)
    let score = try TaskEvaluation.measure(
      short, tasks: [task("abcdef", ["g", "hij"])], split: .lmEval
    ).scores[0]
    #expect(score.wasTruncated && short.calls.map(\.count) == [4, 2, 4])
    #expect(agrees(score.logProbabilities[0], logProbability("g", after: "f")))
    #expect(agrees(score.logProbabilities[1], logProbability("hij", after: "f")))
  }

  @Test func theContextRunsOnceForAllChoicesAndBeginsWhereTheLastOneLeft() throws {
    let tasks = [task("abcdefgh", ["a", "b", "c", "d"]), task("abcd", ["a", "b"])]
    let result = try TaskEvaluation.measure(model, tasks: tasks)
    // Nine tokens with BOS: the shorter context is held when the longer one runs.
    #expect(result.tokensRun == 9)
    #expect(result.tokensScored == 4 * 9 + 2 * 5)
    #expect(model.calls.map(\.count) == [5, 9])
    #expect(result.scores.map(\.logProbabilities.count) == [4, 2])
  }

  /// An engine with its cache against the same engine run afresh for every choice.
  @Test(arguments: TinyCheckpoint.Kind.allCases)
  func theCacheChangesNothing(kind: TinyCheckpoint.Kind) throws {
    let folder = try TemporaryFolder()
    let engine = try Engine(
      checkpoint: Checkpoint(path: TinyCheckpoint.write(kind, in: folder)),
      options: EngineOptions(threads: 2, chunk: 8))
    let story = "once upon a time there was a little dog who had the ball and then it ran away"
    let tasks = [20, 45, 31].map { length in
      task(String(story.prefix(length)), [" the", " a dog", " time", " ran and ran"])
    }
    let result = try TaskEvaluation.measure(engine, tasks: tasks)
    #expect(result.tokensRun < result.tokensScored / 2)
    for (task, score) in zip(tasks, result.scores) {
      for (choice, value) in zip(task.choices, score.logProbabilities) {
        let context = try engine.tokenizer.encode(
          task.context, addSpecial: true, parseSpecial: false)
        let whole = try engine.tokenizer.encode(
          task.context + choice, addSpecial: true, parseSpecial: false)
        #expect(Array(whole.prefix(context.count)) == context)
        var sum = 0.0
        try engine.forEachLogits(of: whole, from: context.count - 1) { position, logits in
          guard position + 1 < whole.count else { return }
          let row = logits.map(Double.init)
          let top = row.max() ?? 0
          sum += row[whole[position + 1]] - top - log(row.reduce(0) { $0 + exp($1 - top) })
        }
        #expect(abs(value - sum) < 1e-4, "\(choice)")
      }
    }
  }

  @Test func aContextThatDoesNotFitLosesItsBeginning() throws {
    let short = BigramModel(model.table, contextLength: 6)
    let result = try TaskEvaluation.measure(
      short, tasks: [task("abcdefghijk", ["l", "mn"]), task("abc", ["d", "e"])])
    #expect(result.scores.map(\.wasTruncated) == [true, false] && result.truncated == 1)
    // Six positions: BOS and the last four letters, and room for the choice but its last token.
    #expect(short.calls.map(\.count).max() == 6)
    for (value, choice) in zip(result.scores[0].logProbabilities, ["l", "mn"]) {
      #expect(agrees(value, logProbability(choice, after: "k")))
    }
    let tiny = BigramModel(model.table, contextLength: 1)
    #expect(throws: LabError.self) {
      try TaskEvaluation.measure(tiny, tasks: [task("ab", ["cde", "f"])])
    }
  }

  @Test func whatCannotBeScoredIsSaid() throws {
    let nothing = #expect(throws: LabError.self) {
      try TaskEvaluation.measure(model, tasks: [task("ab", ["c", ""])])
    }
    #expect(nothing?.place == "question 1")
    let broken = BigramModel(Array(repeating: Array(repeating: .nan, count: 16), count: 16))
    #expect(throws: LabError.self) {
      try TaskEvaluation.measure(broken, tasks: [task("ab", ["c", "d"])])
    }
    // The letter tokenizer gives ids below zero for capitals.
    #expect(throws: LabError.self) {
      try TaskEvaluation.measure(model, tasks: [task("aB", ["c", "d"])])
    }
  }

  @Test func theBuiltInQuestionsAreAboutStoriesThatNoTrainingSees() throws {
    let data = try TaskDataset.load("builtin:storyteller/tasks:60")
    #expect(data.tasks.count == 60 && data.name == "builtin:storyteller/tasks:60")
    #expect(try TaskDataset.load("builtin:storyteller/tasks", limit: 60).digest == data.digest)
    #expect(try TaskDataset.load("builtin:storyteller/tasks:90", limit: 60).digest == data.digest)
    #expect(
      try TaskDataset.load("builtin:storyteller/tasks").tasks.count == TaskDataset.standardCount)
    let stories = StoryDataset.test.stories(60).map(\.text)
    for task in data.tasks {
      let whole = task.context + task.choices[task.answer]
      #expect(stories.contains { $0.hasPrefix(whole) })
    }
    #expect(Set(data.tasks.map(\.kind)).count >= 5)
    #expect(StoryDataset.test.positions.lowerBound >= StoryDataset.train.positions.upperBound)
    for name in ["builtin:storyteller/task", "builtin:storyteller/tasks:0", "builtin:x:1:2"] {
      #expect(throws: LabError.self) { try TaskDataset.load(name) }
    }
  }

  @Test func questionsComeFromAFileToo() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      """
      {"context": "The sky is", "choices": [" blue", " a fish"], "answer": 0, "kind": "colour"}

      {"context": "Two and two", "choices": [" is five", " is four"], "answer": 1}
      """, to: "questions.jsonl")
    let data = try TaskDataset.load(path)
    #expect(data.tasks.map(\.kind) == ["colour", "all"])
    #expect(data.tasks[1].choices == [" is five", " is four"] && data.tasks[1].answer == 1)
    #expect(try TaskDataset.load(path, limit: 1).tasks.count == 1)
    for line in [
      #"{"context": "a", "choices": ["b"], "answer": 0}"#,
      #"{"context": "a", "choices": ["b", "c"], "answer": 2}"#,
      #"{"context": "a", "choices": ["b", "b"], "answer": 0}"#,
      #"{"context": "a", "choices": ["b", 3], "answer": 0}"#,
      #"{"context": "", "choices": ["b", "c"], "answer": 0}"#, "[]", "{",
    ] {
      let bad = try folder.write("\n" + line + "\n", to: "bad.jsonl")
      let error = #expect(throws: LabError.self) { try TaskDataset.load(bad) }
      #expect(error?.place?.hasPrefix("\(bad):2") == true, "\(line)")
    }
    let empty = try folder.write("\n", to: "empty.jsonl")
    #expect(throws: LabError.self) { try TaskDataset.load(empty) }
    let missing = #expect(throws: LabError.self) { try TaskDataset.load("no/such.jsonl") }
    #expect(missing?.exitCode == 66)
  }

  @Test func theFloorIsTheSourcesOwnLoss() throws {
    let data = try TextDataset.load("builtin:storyteller/test:20")
    let stories = StoryDataset.test.stories(20)
    let nats = -stories.reduce(0) { $0 + $1.textLogProbability }
    #expect(nats < -stories.reduce(0) { $0 + $1.logProbability })
    let tokenizer = try TokenizerLoader.load(
      path: BuiltinModels.folder("storyteller") + "/tokenizer.json")
    let tokens = try stories.reduce(0) {
      try $0 + 1 + tokenizer.encode($1.text, addSpecial: false, parseSpecial: false).count
    }
    let floor = try #require(try data.floor(by: tokenizer))
    #expect(agrees(floor, nats / Double(tokens), digits: 12))
    #expect((0.3...0.9).contains(floor))
    // In bits a byte of the stories, which no vocabulary changes.
    let bits = try #require(data.floorBitsPerByte)
    #expect(
      agrees(bits, nats / log(2) / Double(stories.reduce(0) { $0 + $1.byteCount }), digits: 12))
    let single = try TextDataset.load("builtin:storyteller/test:1")
    #expect(
      single.entropy?.stories == 1 && single.entropy?.surprisal == -stories[0].textLogProbability)
    // The same text in a file has an unknown source.
    let folder = try TemporaryFolder()
    let file = try TextDataset.load(try folder.write(data.text, to: "t.txt"))
    #expect(try file.digest == data.digest && file.floor(by: tokenizer) == nil)
    #expect(file.floorBitsPerByte == nil)
  }
}
