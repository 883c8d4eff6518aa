import Foundation
import TritLab

/// Timing lines in the form of llama.cpp's tools, which people's scripts look for.
enum Timings {
  /// Load, prompt, generation and total, on standard error.
  static func report(_ result: GenerationResult, load: Double, total: Double) {
    Terminal.note("")
    Terminal.note(String(format: "       load time = %10.2f ms", load * 1e3))
    Terminal.note(
      line("prompt eval time", result.promptSeconds, result.prompt.count, "tokens"))
    Terminal.note(line("       eval time", result.decodeSeconds, result.decodeSteps, "runs  "))
    let tokens = result.prompt.count + result.tokens.count
    Terminal.note(
      String(format: "      total time = %10.2f ms / %5d tokens", total * 1e3, tokens))
  }

  /// The share of every stage, the longest first, and what a screened head had to look at twice.
  static func report(_ engine: Engine) {
    let stages = engine.times.seconds.filter { $0.seconds > 0 }.sorted { $0.seconds > $1.seconds }
    let sum = stages.reduce(0) { $0 + $1.seconds }
    Terminal.note("")
    for stage in stages {
      let name = String(repeating: " ", count: max(0, 16 - stage.stage.count)) + stage.stage
      Terminal.note(
        String(
          format: "%@ = %10.2f ms (%5.1f %%)", name, stage.seconds * 1e3,
          100 * stage.seconds / sum))
    }
    if let (rows, tokens) = engine.rescored, tokens > 0 {
      let each = Double(rows) / Double(tokens)
      Terminal.note(
        String(
          format: "        rescored = %10.1f rows of %d a token (%.2f %%)", each,
          engine.configuration.vocabularySize,
          100 * each / Double(engine.configuration.vocabularySize)))
    }
  }

  private static func line(_ name: String, _ seconds: Double, _ count: Int, _ unit: String)
    -> String
  {
    let each = count > 0 ? seconds * 1e3 / Double(count) : 0
    let rate = seconds > 0 ? Double(count) / seconds : 0
    return name
      + String(
        format: " = %10.2f ms / %5d ", seconds * 1e3, count)
      + unit
      + String(format: " (%8.2f ms per token, %8.2f tokens per second)", each, rate)
  }
}
