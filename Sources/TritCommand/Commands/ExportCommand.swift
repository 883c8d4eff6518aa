import Foundation
import TritLab

/// `trit export`: a checkpoint as a GGUF file or a Hugging Face folder.
enum ExportCommand {
  static let output = OptionSpec(
    "-o", "--output", value: "file", help: "The GGUF file to write, or the folder")
  static let type = OptionSpec(
    "--outtype", "--type", value: "type",
    help: "Type of the linear layers; hf-packed and hf-bf16 write a Hugging Face folder",
    default: "i2_s",
    choices: GGUFExport.linearTypes.map { $0.name.lowercased() }
      + HuggingFaceExport.Form.allCases.map(\.rawValue))
  static let embedding = OptionSpec(
    "--token-embedding-type", "--embedding", value: "type", help: "Type of the embedding",
    default: "the checkpoint's", choices: GGUFExport.denseTypes.map { $0.name.lowercased() })
  static let head = OptionSpec(
    "--output-tensor-type", value: "type",
    help: "Type of an output head that is not the embedding", default: "as the embedding",
    choices: GGUFExport.denseTypes.map { $0.name.lowercased() })
  static let name = OptionSpec(
    "--name", value: "text", help: "The model's name in the file", default: "that of the checkpoint"
  )
  static let noTokenizer = OptionSpec(
    flag: "--no-tokenizer",
    help: "Leave the tokenizer out; readers take tokenizer.json beside the file, or --tokenizer")

  static func spec(_ context: CommandContext) -> CommandSpec {
    CommandSpec(
      "export", context,
      overview: "Write a checkpoint as a GGUF file or a Hugging Face folder.",
      discussion: """
        Ternary layers keep trits and scale exactly in i2_s, tl1 and tl2; masters are quantized as the \
        model says. What is rounded, and what GGUF cannot say, is told on standard error. The \
        tokenizer in the file is read back and compared on the text of every token; one that GGUF \
        cannot hold is an error. Every tensor is read back and compared, and the largest error of each \
        type told. The file appears whole or not at all. hf-packed writes a folder for transformers with four \
        trits a byte and weight_scale, which run with int8 activations there; hf-bf16 one with 16-bit masters or \
        floats. Either has tokenizer, chat template and end tokens, those inside a GGUF file too. Notes say who can read it: bitnet.cpp has types \
        and architectures that mainline llama.cpp has not.
        """,
      groups: [
        OptionGroup(
          "OPTIONS",
          [
            ModelOptions.model, output, type, embedding, head, name, ModelOptions.tokenizer,
            ModelOptions.i2sLayout, noTokenizer,
          ] + [context.stages.option(.quantizer), context.stages.layers].compactMap(\.self))
      ],
      json: "one object about the file that was written", plugins: true,
      examples: [
        ("trit export -m builtin:storyteller -o storyteller-i2_s.gguf", "the shipped model"),
        (
          "trit export -m models/mine -o mine.gguf --embedding f16",
          "a trained one, with an embedding that every bitnet.cpp reads"
        ),
        (
          "trit export -m mine.gguf -o mine-hf --type hf-packed",
          "a folder that transformers reads"
        ),
        (
          "trit export -m llama/ -o llama-ptq.gguf --quantizer absmean",
          "a full-precision model, quantized after training"
        ),
      ],
      run: run)
  }

  @Sendable private static func run(_ arguments: ParsedArguments) throws {
    let path = try arguments.required(output)
    let selection = try arguments.stages.selection(arguments)
    let checkpoint = try ModelOptions.checkpoint(arguments)
    if let form = try arguments.choice(type).flatMap(HuggingFaceExport.Form.init) {
      return try writeFolder(
        HuggingFaceExport(checkpoint, form: form, selection: selection, lab: arguments.lab), path,
        arguments)
    }
    var export = GGUFExport(
      checkpoint, linear: try tensorType(type, arguments) ?? .i2_s, selection: selection,
      lab: arguments.lab)
    export.embedding = try tensorType(embedding, arguments)
    export.head = try tensorType(head, arguments)
    export.name = arguments.text(name)
    export.writesTokenizer = !arguments.flag(noTokenizer)
    let summary = try export.write(to: path) { written, of in
      Terminal.status("tensor \(written) of \(of)")
    } reading: { read, of in
      Terminal.status("comparing \(read) of \(of)")
    }
    try tell(summary, path, arguments)
  }

  /// Writes a Hugging Face folder; options of GGUF files have no place there.
  private static func writeFolder(
    _ export: HuggingFaceExport, _ path: String, _ arguments: ParsedArguments
  ) throws {
    for option in [embedding, head, name] where arguments.text(option) != nil {
      throw LabError(
        .usage, "\(option.mainName) is of GGUF files", at: option.mainName,
        expected: "no such option with --type \(export.form.rawValue)",
        advice: "leave it out: embedding and head are copied as they are")
    }
    var export = export
    export.writesTokenizer = !arguments.flag(noTokenizer)
    let summary = try export.write(to: path) { written, of in
      Terminal.status("tensor \(written) of \(of)")
    } reading: { read, of in
      Terminal.status("comparing \(read) of \(of)")
    }
    try tell(summary, path, arguments)
  }

  private static func tell(
    _ summary: GGUFExport.Summary, _ path: String, _ arguments: ParsedArguments
  ) throws {
    Terminal.status("")
    let bits = 8 * Double(summary.linearBytes) / Double(max(summary.linearWeights, 1))
    guard !arguments.isJSON else {
      return try Terminal.json([
        "path": .string(path), "architecture": .string(summary.architecture),
        "tensors": JSONValue(summary.tensors), "tensor_bytes": JSONValue(summary.tensorBytes),
        "linear_bytes": JSONValue(summary.linearBytes),
        "linear_weights": JSONValue(summary.linearWeights),
        "bits_per_weight": summary.linearWeights > 0 ? JSONValue(bits) : .null,
        "notes": .array(summary.notes.map(JSONValue.string)),
        "readers": .array(summary.readers.map(JSONValue.string)),
      ])
    }
    for note in summary.notes + summary.readers { Terminal.note("note: \(note)") }
    Terminal.note(
      "wrote \(path): \(summary.architecture), \(summary.tensors) tensors, "
        + String(format: "%.1f MB, ", Double(summary.tensorBytes) * 1e-6)
        + String(format: "%.1f M linear weights of ", Double(summary.linearWeights) * 1e-6)
        + String(format: "%.2f bits", bits))
  }

  private static func tensorType(_ option: OptionSpec, _ arguments: ParsedArguments) throws
    -> TensorType?
  {
    guard let word = try arguments.choice(option) else { return nil }
    return TensorType.all.first { $0.name.lowercased() == word }
  }
}
