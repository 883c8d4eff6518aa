import Foundation
import TritLab

/// `trit train`: a training file, run to a model.
enum TrainCommand {
  static let file = ArgumentSpec("file", help: "The training file", completion: .yaml)
  static let set = OptionSpec(
    "--set", value: "key=value",
    help: "Override a value of the file, as optimisation.steps=100; may be repeated")
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
      groups: [OptionGroup("OPTIONS", [set, output, restart, ModelOptions.threads])],
      json: "one object at the end; the steps are in training/metrics.jsonl", plugins: true,
      examples: [
        ("trit train experiments/train/storyteller.yaml", "the shipped ternary model"),
        (
          "trit train experiments/train/tiny.yaml --set quantization=none -o models/tiny-fp",
          "a small one in full precision"
        ),
      ],
      run: run)
  }

  @Sendable private static func run(_ arguments: ParsedArguments) throws {
    let training = try TrainingFile.read(
      path: arguments.arguments[0], overrides: arguments.all(set),
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
