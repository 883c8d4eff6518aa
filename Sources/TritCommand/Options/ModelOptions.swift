import Foundation
import TritLab

/// The options that say which model runs, how large its context is, and on how many threads.
package enum ModelOptions {
  static let model = OptionSpec(
    "-m", "--model", value: "model",
    help: "GGUF file, checkpoint folder, builtin:NAME, or hf:ORG/NAME[@rev] from the local cache",
    environment: "TRITLAB_MODEL", completion: .models)
  static let tokenizer = OptionSpec(
    "--tokenizer", value: "file",
    help: "Tokenizer in place of the model's: tokenizer.json, tokenizer.model, a folder or a GGUF")
  static let i2sLayout = OptionSpec(
    "--i2s-layout", value: "layout",
    help: "How the codes of an I2_S file lie, which it does not say: arm64, of bitnet.cpp's "
      + "llama-quantize on ARM since November 2025, or rows4, four rows side by side",
    default: "blocks128", choices: I2SLayout.allCases.map(\.rawValue))
  static let threads = OptionSpec(
    "-t", "--threads", value: "n", help: "Threads", default: "all cores",
    environment: "TRITLAB_THREADS")
  static let context = OptionSpec(
    "-c", "--ctx-size", value: "n", help: "Positions of the KV cache; 0 is the model's context",
    default: "the model's, at most 4096")
  static let chunk = OptionSpec(
    "-ub", "--ubatch-size", value: "n", help: "Prompt tokens that run together", default: "512")
  static let poll = OptionSpec(
    "--poll", value: "0...100", help: "How eagerly idle workers spin before they sleep",
    default: "50")

  static let noImages = OptionSpec(
    flag: "--no-image-cache",
    help: "Prepare the weights anew, and keep none for the next start (see 'trit cache')")

  static let verbose = OptionSpec(
    flag: "-v", "--verbose", help: "Say what 'auto' measured and why it picked what it picked")

  /// Spellings that scripts for llama.cpp carry and that mean nothing here, or only one thing.
  static let accepted: [OptionSpec] = [
    OptionSpec("-ngl", "--gpu-layers", "--n-gpu-layers", value: "n", help: "", hidden: true),
    OptionSpec("-b", "--batch-size", value: "n", help: "", hidden: true),
    OptionSpec("-tb", "--threads-batch", value: "n", help: "", hidden: true),
    OptionSpec(flag: "--no-mmap", help: "", hidden: true),
    OptionSpec(flag: "--mlock", help: "", hidden: true),
    OptionSpec(flag: "--no-warmup", help: "", hidden: true),
  ]

  static let group = OptionGroup(
    "MODEL OPTIONS",
    [model, tokenizer, i2sLayout, threads, context, chunk, poll, noImages, verbose] + accepted)

  /// Threads to run on: what was asked for, else every core.
  static func threads(_ arguments: ParsedArguments) throws -> Int {
    try arguments.integer(threads, in: 1...1024)
      ?? max(1, ProcessInfo.processInfo.activeProcessorCount)
  }

  /// Opens the model that `-m` names, after the checks that need no file.
  static func checkpoint(_ arguments: ParsedArguments) throws -> Checkpoint {
    if let layers = try arguments.integer(accepted[0], in: -1...Int.max), layers > 0 {
      throw LabError(
        .usage, "there is no GPU backend", at: "-ngl", expected: "0", got: "\(layers)",
        advice: "leave -ngl out: everything runs on the CPU")
    }
    let layout = try arguments.choice(i2sLayout).flatMap(I2SLayout.init) ?? .blocks128
    let checkpoint = try I2SLayout.$assumed.withValue(layout) {
      try Checkpoint(
        path: try ModelLocation.resolve(try arguments.required(model)),
        tokenizer: try arguments.text(tokenizer).map(TokenizeCommand.locate),
        packings: arguments.lab[.packing])
    }
    for note in checkpoint.notes { Terminal.note("note: \(note)") }
    return checkpoint
  }

  /// Where prepared weights are kept, unless that is turned off; `writes`: also those of this
  /// start.
  static func images(_ arguments: ParsedArguments, writes: Bool = true) -> WeightImages? {
    guard !arguments.flag(noImages), let folder = CacheFolder.images else { return nil }
    return WeightImages(folder: folder, writes: writes)
  }

  /// How the engine runs; `context` where the command itself decides how many positions it needs.
  package static func engineOptions(
    _ arguments: ParsedArguments, trained: Int, context needed: Int? = nil
  ) throws -> EngineOptions {
    var options = EngineOptions(threads: try threads(arguments))
    options.chunk = try arguments.integer(chunk, in: 1...65_536) ?? options.chunk
    options.poll = try arguments.integer(poll, in: 0...100) ?? options.poll
    let asked = try arguments.integer(context, in: 0...(1 << 24))
    options.images = images(arguments)
    options.maxContext = asked.map { $0 == 0 ? trained : $0 } ?? needed
    return options
  }
}
