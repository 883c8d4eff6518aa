import Foundation
import TritLab

/// `trit train`: a training file, run to a model.
enum TrainCommand {
  static let file = ArgumentSpec("file", help: "The training file", completion: .yaml)
  static let set = OptionSpec(
    "--set", value: "key=value",
    help: "Override a value of the file, as optimisation.steps=100; may be repeated")
  static let family = OptionSpec(
    "--family", value: "name",
    help: "The family of the model, in place of the file's: \(families)")
  static let config = OptionSpec(
    "--config", value: "file", help: "The model of a config.json, in place of the file's")
  static let checkpoint = OptionSpec(
    "--from", value: "model", help: "A checkpoint to train on, in place of the file's model")
  private static let families = ModelSizes.families.joined(separator: ", ")
  static let output = OptionSpec(
    "-o", "--output", value: "folder", help: "The folder of the model",
    default: "what the file says")
  static let restart = OptionSpec(
    flag: "--restart", help: "Start over, though the folder holds a checkpoint")

  static func spec(_ context: CommandContext) -> CommandSpec {
    CommandSpec(
      "train", context, overview: "Train a model from a training file.",
      discussion: """
        Everything wrong with the file is told at once, before anything runs. The folder gets the model \
        in Hugging Face form, and in training/ the checkpoint, metrics.jsonl and the loss curve. A \
        training that was stopped, even by kill -9, goes on from its last checkpoint when the same \
        command is given again, and ends with the same bits.
        """,
      arguments: [file],
      groups: [
        OptionGroup(
          "OPTIONS", [set, family, config, checkpoint, output, restart, ModelOptions.threads])
      ],
      json: "one object at the end; the steps are in training/metrics.jsonl", plugins: true,
      examples: [
        ("trit train experiments/train/storyteller.yaml", "the shipped ternary model"),
        (
          "trit train experiments/train/tiny.yaml --set quantization=none -o models/tiny-fp",
          "a small one in full precision"
        ),
        (
          "trit train experiments/train/tiny.yaml --family qwen3 -o models/tiny-qwen3",
          "the same sizes as a Qwen3"
        ),
        (
          "trit train tune.yaml --from models/tiny -o models/tuned",
          "a checkpoint, trained on with other text"
        ),
      ],
      run: run)
  }

  @Sendable private static func run(_ arguments: ParsedArguments) throws {
    let training = try TrainingFile.read(
      path: arguments.arguments[0], overrides: try model(arguments) + arguments.all(set),
      lab: arguments.lab)
    let job = TrainingJob(
      training, output: arguments.text(output),
      threads: try arguments.integer(ModelOptions.threads, in: 1...1024),
      restart: arguments.flag(restart), lab: arguments.lab)
    let printer = TrainingPrinter()
    let outcome = try job.run(observer: printer.show) { line in
      Terminal.status("")
      Terminal.note(line)
    }
    guard !arguments.isJSON else {
      return try Terminal.json([
        "model": .string(job.folder), "steps": JSONValue(outcome.steps),
        "last_loss": JSONValue(outcome.lastLoss),
        "validation_loss": JSONValue(outcome.validationLoss),
        "seconds": JSONValue(outcome.seconds),
      ])
    }
    try Terminal.line(
      "steps \(outcome.steps), validation loss \(number(outcome.validationLoss)) nats a token, "
        + "\(ProgressPrinter.duration(outcome.seconds)) of training")
    try Terminal.line("model: \(job.folder)")
    Terminal.note("as a GGUF file: trit export -m \(job.folder) -o \(job.folder).gguf")
  }

  /// What the options say of the model, as overrides of the file.
  private static func model(_ arguments: ParsedArguments) throws -> [String] {
    let whole = [("config", config), ("checkpoint", checkpoint)].compactMap { key, option in
      arguments.text(option).map { (key, $0) }
    }
    let family = arguments.text(family)
    guard whole.count + (family == nil ? 0 : 1) <= 1 else {
      throw LabError(
        .usage, "several options say what the model is",
        expected: "one of --family, --config and --from")
    }
    if let family { return ["model.family=\(JSONWriter.text(.string(family)))"] }
    return whole.map { key, text in
      // A path of the command line is one of the working folder, not of the file's.
      let path = FileManager.default.fileExists(atPath: text) ? AbsolutePath.of(text) : text
      return "model=\(JSONWriter.text(.object([(key, .string(path))])))"
    }
  }

  static func number(_ value: Double) -> String { String(format: "%.4f", value) }
}

/// Shows what a training tells: one line that changes on a terminal, elsewhere a line now and then.
final class TrainingPrinter {
  private var last = Date.distantPast

  /// Shows one event.
  func show(_ event: TrainingEvent) {
    switch event {
    case .started(let step, let of):
      Terminal.note(step > 0 ? "going on after step \(step) of \(of)" : "training \(of) steps")
    case .step(let record, let of, let remaining):
      let text =
        "step \(record.step)/\(of), loss \(TrainCommand.number(record.loss)), "
        + "rate \(String(format: "%.2e", record.rate)), "
        + "\(Int(record.tokensPerSecond.rounded())) tokens/s, "
        + "\(ProgressPrinter.duration(remaining)) left"
      if Terminal.isInteractive {
        Terminal.status(text)
      } else if Date().timeIntervalSince(last) >= 10 || record.step == of {
        last = Date()
        Terminal.note(text)
      }
    case .validated(let step, let loss):
      Terminal.status("")
      Terminal.note("step \(step): validation loss \(TrainCommand.number(loss)) nats a token")
    case .saved: break
    }
  }
}
