import TritLab

/// `trit inspect`: what a model file holds.
enum InspectCommand {
  static let file = ArgumentSpec(
    "file", help: "GGUF or safetensors file, folder with either, or hf:ORG/NAME")
  static let json = OptionSpec(flag: "--json", help: "Print JSON")
  static let tensors = OptionSpec(
    flag: "--tensors", help: "Print the list of tensors", negatable: true)

  static let spec = CommandSpec(
    "inspect", overview: "Show the metadata and tensors of a model file.",
    arguments: [file],
    groups: [OptionGroup("OPTIONS", [json, tensors])],
    examples: [
      ("trit inspect model.gguf", "key-values and tensors, in the columns of gguf-dump"),
      ("trit inspect checkpoint/ --no-tensors", "the metadata of a safetensors checkpoint"),
      (
        "trit inspect model.gguf --json | jq '.tensors | map_values(.type)'",
        "the type of every tensor, for a script"
      ),
    ],
    run: run)

  @Sendable private static func run(_ arguments: ParsedArguments) throws {
    var path = arguments.arguments[0]
    if path.hasPrefix("hf:") || path.hasPrefix("builtin:") {
      path = try ModelLocation.resolve(path)
    }
    let source = try TensorFile.open(path)
    let showTensors = arguments.flag(tensors, default: true)
    if arguments.flag(json) {
      let document = TensorListing.json(source, showTensors: showTensors)
      return try Terminal.line(JSONWriter.text(document, pretty: true))
    }
    for line in TensorListing.lines(source, showTensors: showTensors) { try Terminal.line(line) }
  }
}
