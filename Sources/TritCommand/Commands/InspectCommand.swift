import Foundation
import TritLab

/// `trit inspect`: what a model file holds.
enum InspectCommand {
  static let file = ArgumentSpec(
    "file", help: "GGUF or safetensors file, folder with either, or hf:ORG/NAME")
  static let tensors = OptionSpec(
    flag: "--tensors", help: "Print the list of tensors", negatable: true)

  static let activations = OptionSpec(
    flag: "--activations",
    help: "Run the model and print how many int8 inputs of its linear layers are zero")
  static let data = OptionSpec(
    "--data", value: "data", help: "Text for --activations: a file or builtin data",
    default: "builtin:storyteller/test:20")

  static func spec(_ context: CommandContext) -> CommandSpec {
    CommandSpec(
      "inspect", context, overview: "Show the metadata and tensors of a model file.",
      arguments: [file],
      groups: [OptionGroup("OPTIONS", [tensors, activations, data, ModelOptions.tokenizer])],
      json: "one object: metadata, tensors; --activations: one list of the inputs",
      plugins: true,
      examples: [
        ("trit inspect model.gguf", "key-values and tensors, in the columns of gguf-dump"),
        ("trit inspect checkpoint/ --no-tensors", "the metadata of a safetensors checkpoint"),
        (
          "trit inspect model.gguf --json | jq '.tensors | map_values(.type)'",
          "the type of every tensor, for a script"
        ),
        (
          "trit inspect builtin:storyteller --activations",
          "zeros behind the activation function, by layer"
        ),
      ],
      run: run)
  }

  @Sendable private static func run(_ arguments: ParsedArguments) throws {
    var path = arguments.arguments[0]
    if path.hasPrefix("hf:") || path.hasPrefix("builtin:") {
      path = try ModelLocation.resolve(path)
    }
    if arguments.flag(activations) {
      return try sparsity(path, arguments.text(data) ?? "builtin:storyteller/test:20", arguments)
    }
    let source = try TensorFile.open(path)
    let showTensors = arguments.flag(tensors, default: true)
    if arguments.isJSON {
      let document = TensorListing.json(source, showTensors: showTensors)
      return try Terminal.json(document)
    }
    for line in TensorListing.lines(source, showTensors: showTensors) { try Terminal.line(line) }
  }

  private static func sparsity(_ path: String, _ data: String, _ arguments: ParsedArguments) throws
  {
    let engine = try Engine(
      checkpoint: Checkpoint(
        path: path, tokenizer: arguments.text(ModelOptions.tokenizer).map(TokenizeCommand.locate),
        packings: arguments.lab[.packing]),
      lab: arguments.lab,
      options: EngineOptions(threads: HostInformation.cores, maxContext: 512))
    for note in engine.notes { Terminal.note(note) }
    let text = try TextDataset.load(data)
    let tokens = try engine.tokenizer.encode(
      text.text, addSpecial: true, parseSpecial: text.writesControlTokens)
    let result = try ActivationSparsity(engine, tokens: Array(tokens.prefix(4096)))
    let rows = result.inputs + result.totals
    if arguments.isJSON {
      let list = rows.map { input in
        JSONValue.object([
          ("input", .string(input.name)), ("values", JSONValue(input.count)),
          ("zero_before_rounding", JSONValue(input.exactShare)),
          ("zero", JSONValue(input.share)),
          ("zero_runs", JSONValue(input.runShares)),
        ])
      }
      return try Terminal.json(.array(list))
    }
    let runs = ActivationSparsity.runs.map { "runs, \($0)" }
    let titles = ["input of", "values", "zero", "as int8"] + runs
    try Terminal.line(columns(titles))
    for input in rows {
      let shares = [input.exactShare, input.share] + input.runShares
      try Terminal.line(
        columns(
          [input.name, "\(input.count)"] + shares.map { String(format: "%.1f %%", 100 * $0) }))
    }
  }

  private static func columns(_ cells: [String]) -> String {
    cells.enumerated().map { index, cell in
      let gap = String(repeating: " ", count: max(0, (index == 0 ? 20 : 10) - cell.count))
      return index == 0 ? cell + gap : gap + cell
    }.joined()
  }
}
