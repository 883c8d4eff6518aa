internal import TritFormats
internal import TritTraining

/// What the folder of a model that the lab trained tells of its training.
enum TrainingFigures {
  /// `training_tokens`, `training_seconds`, `training_steps` and `training_seed` from the log in `folder`; empty for
  /// models that were not trained there.
  static func of(_ folder: String) -> [String: Double] {
    let lines = TrainingLog(path: Trainer.logPath(folder)).lines()
    guard let last = lines.last(where: { $0["tokens"] != nil }),
      let steps = last["step"]?.double, let tokens = last["tokens"]?.double,
      let seconds = last["seconds"]?.double
    else { return [:] }
    var figures = [
      "training_steps": steps, "training_tokens": tokens, "training_seconds": seconds,
    ]
    // Logs of older versions do not tell it.
    if let seed = last["seed"]?.double { figures["training_seed"] = seed }
    return figures
  }
}
