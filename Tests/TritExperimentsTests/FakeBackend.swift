import Foundation
import TritLab

import TritExperiments

/// A backend whose figures are functions of the choices: tests of the runner need no model.
final class FakeBackend: ExperimentBackend {
  /// Labels of what was loaded, in order.
  var loaded: [String] = []
  /// A kernel whose load fails.
  var failingKernel = ""
  /// A cache that is known not to fit before anything is loaded.
  var misfit: String?
  /// Ctrl-C comes when this many variants have been loaded.
  var interruptAfter = Int.max
  /// Nats a token of the text's source, where it is known.
  var floor: Double?
  /// The error of perplexity over windows, where there are several.
  var windowError: Double?
  /// Whether every variant cuts the text into other tokens.
  var variesVocabulary = false
  /// The digest of every model, and what is known of its training.
  var modelDigest = "m1"
  var training = ""
  /// The digest of every text, and how it is read.
  var textDigest = "d1"
  var reading = "plain text"
  /// The digest of every set of questions.
  var taskDigest = "q1"
  /// What an `auto` cache picks.
  var pick: String?
  /// A file changes when this many variants have been loaded.
  var changesAfter = Int.max
  /// Files that were replaced, told at the next question.
  var replaced: [String] = []

  /// Whether windows and questions are told one by one, and how much worse every window is, in
  /// nats.
  var hasSamples = false
  var bias = 0.0
  /// Whether no text is there.
  var missingTexts = false

  func identify(model: PathReference) throws -> InputIdentity {
    guard !model.path.contains("missing") else {
      throw LabError(.missingInput, "there is no such model", at: model.path)
    }
    return InputIdentity(
      name: model.text, path: model.path, digest: modelDigest, bytes: 1000, reading: training)
  }

  func identify(data: PathReference, field: String?) throws -> InputIdentity {
    if missingTexts { throw LabError(.missingInput, "there is no such text", at: data.path) }
    return InputIdentity(
      name: data.text, path: data.path, digest: textDigest, bytes: 10, reading: reading)
  }

  func identify(questions: PathReference, limit: Int?) throws -> InputIdentity {
    InputIdentity(name: questions.text, path: questions.path, digest: taskDigest, bytes: 10)
  }

  func identify(retrieval: PathReference, limit: Int?) throws -> InputIdentity {
    InputIdentity(name: retrieval.text, path: retrieval.path, digest: taskDigest, bytes: 10)
  }

  func identify(tasks: HarnessNeeds) throws -> InputIdentity {
    InputIdentity(name: tasks.names.joined(), path: "sets", digest: taskDigest, bytes: 10)
  }

  func check(_ request: SessionRequest, _ measure: Measurements) throws {
    let cache = request.settings.stages[.cache]?.description
    if let cache, cache == misfit { throw LabError(.badData, "it does not fit", at: "blk.0") }
  }

  func picks(_ request: SessionRequest) throws -> [StageKey: StageChoice] {
    guard let pick, request.settings.stages[.cache]?.name == "auto" else { return [:] }
    return [.cache: StageChoice(pick)]
  }

  func checkUnchanged() throws -> [String] {
    if loaded.count > changesAfter {
      throw LabError(.badData, "the file was changed while it was in use", at: "m")
    }
    defer { replaced = [] }
    return replaced
  }

  func load(_ request: SessionRequest) throws -> any VariantSession {
    let kernel = request.settings.stages[.kernel]?.description ?? "auto"
    let cache = request.settings.stages[.cache]?.description ?? "f16"
    if kernel == failingKernel {
      throw LabError(.badData, "kernel '\(kernel)' cannot take the shape", at: "blk.0.attn_q")
    }
    loaded.append("\(kernel) \(cache)")
    if loaded.count > interruptAfter { throw LabError(.interrupted, "interrupted") }
    return FakeSession(
      seed: kernel == "openblas" ? 0 : cache.count + request.threads, floor: floor,
      windowError: windowError, variesVocabulary: variesVocabulary,
      bias: hasSamples ? bias : nil)
  }
}

extension FakeSession {
  func measure(_ measure: any Measure, _ request: MeasureRequest) throws -> Measured {
    request.progress(0.5)
    switch measure {
    case let measure as GenerateMeasure:
      return GenerateMeasure.compared(texts(measure), with: request.referenceTexts)
    case is PerplexityMeasure: return perplexity()
    case is DivergenceMeasure:
      _ = try request.reference()
      return divergence()
    case is TasksMeasure: return tasks()
    case is RetrievalMeasure: return Measured(metrics: ["ndcg_at_10": 0.5, "queries": 2])
    case is WeightsMeasure:
      return Measured(metrics: [
        "sqnr_db": .infinity, "zero_share": 0.3, "code_bits_per_weight": 1.58,
      ])
    case is SpeedMeasure: return speed()
    case is EnergyMeasure: return energy()
    case let measure as RooflineMeasure: return roofline(measure)
    default: throw LabError(.internalError, "a fake has no such figures")
    }
  }

  private func energy() -> Measured {
    Measured(metrics: [
      "linear.7nm_picojoules": 1e6, "linear.45nm_picojoules": 3e6, "total.7nm_picojoules": 2e6,
      "total.45nm_picojoules": 5e6,
    ])
  }

  private func roofline(_ measure: RooflineMeasure) -> Measured {
    let tokens = measure.tokens.map { Double($0) }
    return Measured(
      metrics: [
        "int8_peak": 1e12, "fp32_peak": 1e11, "read_bytes_per_second": 1e10, "bits_per_weight": 2,
        "is_float": 0, "first.share_of_roof": 0.5,
      ],
      series: [
        "points": Series(
          labels: tokens.map { _ in "64x128" },
          columns: ["tokens": tokens, "operations_per_second": tokens.map { $0 * 1e9 }])
      ], facts: ["roofline kernel": "fake"])
  }
}

final class FakeSession: VariantSession {
  let seed: Int
  let floor: Double?
  let windowError: Double?
  let variesVocabulary: Bool
  /// How much worse every window is, in nats; nil where windows are not told one by one.
  let bias: Double?
  static let windows = 12
  init(
    seed: Int, floor: Double?, windowError: Double? = nil, variesVocabulary: Bool = false,
    bias: Double? = nil
  ) {
    self.bias = bias
    self.windowError = windowError
    self.variesVocabulary = variesVocabulary
    self.seed = seed
    self.floor = floor
  }

  var facts: [String: String] { ["kernels": "fake"] }
  var figures: [String: Double] {
    ["bits_per_weight": 2 + Double(seed), "linear_bytes": 1e6, "parameters": 1e6]
  }

  func texts(_ measure: GenerateMeasure) -> [GeneratedText] {
    measure.prompts.map {
      GeneratedText(
        prompt: $0, text: " <b>&\n\"text\" \(seed)", tokens: [1, 2, seed], finish: "length",
        agreement: nil)
    }
  }

  func perplexity() -> Measured {
    var metrics = ["value": 5 + Double(seed), "error": 0.3, "tokens": 100, "context": 16]
    if let windowError { metrics["window_error"] = windowError }
    if let floor {
      metrics["floor"] = exp(floor)
      metrics["floor_nll"] = floor
      metrics["floor_bits_per_byte"] = 0.2
      metrics["bits_per_byte"] = 0.3
    }
    if variesVocabulary, let floor {
      metrics["tokens"] = 100 + Double(seed)
      metrics["floor_nll"] = floor + Double(seed) / 100
    }
    var measured = Measured(metrics: metrics)
    if let bias {
      // Windows differ much from each other, and the variants little on each of them.
      let losses = (0..<Self.windows).map { window -> Double in
        let hardness = 1.5 + 0.1 * Double(window % 5)
        return hardness + 0.002 * Double(seed * (1 + window % 3)) + bias
      }
      measured.samples = SampleTable(
        unit: "window", content: "w1",
        columns: ["loss": losses, "tokens": losses.map { _ in 8 }])
    }
    return measured
  }

  func divergence() -> Measured {
    Measured(
      metrics: ["kld.mean": 0.01 * Double(seed + 1), "kld.error": 0.001, "same_top.share": 0.9],
      series: [
        "by_position": Series(columns: [
          "position": [1, 5, 9], "kld": [0.01, 0.02, 0.03], "error": [0.001, 0.001, 0.002],
        ])
      ])
  }

  func tasks() -> Measured {
    var measured = taskFigures()
    guard bias != nil else { return measured }
    let right = (0..<40).map { ($0 * 7 + seed) % 5 < 3 ? 1.0 : 0 }
    measured.samples = SampleTable(
      unit: "question", content: "q1",
      columns: [
        "right": right, "right_norm": right, "right_bytes": right,
        "group": (0..<40).map { Double($0) },
      ])
    return measured
  }

  private func taskFigures() -> Measured {
    Measured(
      metrics: [
        "accuracy": 0.5 + 0.01 * Double(seed), "accuracy_error": 0.03, "accuracy_norm": 0.5,
        "accuracy_norm_error": 0.03, "chance": 0.375, "count": 40,
      ],
      series: [
        "kinds": Series(
          labels: ["who", "count"],
          columns: [
            "accuracy": [0.75, 0.25], "error": [0.1, 0.1], "chance": [0.5, 0.25],
            "count": [20, 20],
          ])
      ])
  }

  func speed() -> Measured {
    Measured(metrics: [
      "prefill.tokens_per_second": 100, "prefill.tokens_per_second_mad": 2,
      "decode.tokens_per_second": 20, "decode.tokens_per_second_mad": 1,
    ])
  }
}
