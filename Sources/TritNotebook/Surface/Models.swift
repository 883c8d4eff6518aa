import Foundation
public import TritCore
public import TritModel
public import TritSampling
import TritTokenization

/// Loads a model: `builtin:storyteller`, `builtin:tiny`, `hf:ORG/NAME`, a folder or a file, with
/// the stages that `stages` chooses by key, as flags do:
/// `["kernel": "i2_s", "quantizer": "absmean:granularity=row"]`. The rest is the fastest exact
/// choice.
///
/// Throws `missingInput` for a model that is not there, a usage error for keys and names that the
/// lab does not have.
public func model(
  _ name: String = "builtin:storyteller", _ stages: [String: String] = [:],
  threads: Int = min(2, HostInformation.cores), context: Int? = nil
) throws -> Engine {
  try Engine(
    checkpoint: checkpoint(name), selection: selection(stages), lab: lab,
    options: EngineOptions(threads: threads, maxContext: context))
}

/// The checkpoint that `name` stands for, as `model` finds it; nothing but its head is read.
public func checkpoint(_ name: String) throws -> Checkpoint {
  guard !name.isEmpty else {
    throw LabError(
      .missingInput, "no model is named here",
      expected: "a model; a cell marked 'large' runs with one that is not built in",
      advice:
        "trit notebook run FILE --large MODEL, or: export TRITLAB_LARGE_MODEL=MODEL before Jupyter starts"
    )
  }
  return try Checkpoint(path: ModelLocation.resolve(NotebookPath.resolve(name)))
}

/// Choices by key as a selection; `model` leaves a stage to the checkpoint. Throws a usage error for keys and names that the lab does not
/// have.
public func selection(_ stages: [String: String]) throws -> StageSelection {
  var result = StageSelection()
  for (key, text) in stages.sorted(by: { $0.key < $1.key }) {
    let choice = try StageChoice(parsing: text)
    let kind = lab.kind(StageKey(rawValue: key))
    // `model` leaves a stage to the checkpoint, and is no implementation.
    let isWord = choice.parameters.isEmpty && kind?.words.contains(choice.name) == true
    if !isWord { try lab.validate(StageKey(rawValue: key), choice) }
    if let kind { result.choose(choice, for: kind) }
  }
  return result
}

/// Continues `prompt` by at most `tokens` tokens; by default always with the likeliest one. Throws
/// what the engine throws.
public func generate(
  _ engine: Engine, _ prompt: String, tokens: Int = 40,
  sampling: SamplingOptions = .greedy
) throws -> String {
  let options = GenerationOptions(sampling: sampling, maxTokens: tokens)
  return prompt + (try engine.generate(text: prompt, options: options).text)
}

/// Every intermediate of one pass of `text` through `engine` that `wants` asks for, by name
/// (`blk.0.attn_q`, `blk.0.ffn_down`, `blk.0.attn.scores`, `logits`…), as `[tokens, width]` each.
/// The cache is empty before and after.
public func probe(
  _ engine: Engine, _ text: String, where wants: @escaping (String) -> Bool = { _ in true }
) throws -> [String: Matrix<Float>] {
  let ids = try engine.tokenizer.encode(text, addSpecial: true, parseSpecial: false)
  return try probe(engine, tokens: ids, where: wants)
}

/// The same for ids.
public func probe(
  _ engine: Engine, tokens: [Int], where wants: @escaping (String) -> Bool = { _ in true }
) throws -> [String: Matrix<Float>] {
  engine.reset()
  var result: [String: Matrix<Float>] = [:]
  engine.probe = { name, values in
    guard wants(name) else { return }
    let copy = Matrix<Float>(rows: values.rows, columns: values.columns)
    for row in 0..<values.rows {
      for column in 0..<values.columns { copy[row, column] = values[row, column] }
    }
    result[name] = copy
  }
  defer {
    engine.probe = nil
    engine.reset()
  }
  try engine.forEachLogits(of: tokens, from: 0) { _, _ in }
  return result
}

/// Paths of a notebook are relative to its folder.
enum NotebookPath {
  /// `text`, where it is a relative path that is there below the notebook's folder as a path to
  /// that; else as it is.
  static func resolve(_ text: String) -> String {
    let folder = CellContext.current.folder
    guard !folder.isEmpty, !text.hasPrefix("/"), !text.contains(":") else { return text }
    let path = folder + "/" + text
    return FileKind(at: path) == .absent ? text : path
  }
}
