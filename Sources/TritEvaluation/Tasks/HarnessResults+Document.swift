import TritCore
public import TritFormats

extension HarnessResults {
  /// The results document of lm-evaluation-harness 0.4.13 (`result_schema.py`): `results`,
  /// `groups`, `group_subtasks`, `configs`, `versions`, `n-shot`, `higher_is_better`, `n-samples`
  /// and `config`, as its `make_table` and its comparison scripts read them. Every figure has the
  /// filter `none`; an error that there is none of is `"N/A"`.
  ///
  /// - Parameters:
  ///   - model: what stands as `model_name`.
  ///   - settings: further keys of `config`.
  ///   - date: seconds since 1970.
  ///   - logsSamples: whether every answer is in it, as `samples`.
  public func document(
    model: String, settings: [(key: String, value: JSONValue)] = [], date: Double = 0,
    logsSamples: Bool = false
  ) -> JSONValue {
    func sorted(_ members: [(key: String, value: JSONValue)]) -> JSONValue {
      .object(members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) })
    }
    let taskFigures = tasks.map { (key: $0.task.name, value: Self.figures(of: $0)) }
    let groupFigures = groups.map { (key: $0.group.name, value: Self.figures(of: $0)) }
    var document: [(key: String, value: JSONValue)] = [
      ("results", .object(taskFigures + groupFigures))
    ]
    if !groups.isEmpty { document.append(("groups", .object(groupFigures))) }
    document += [
      (
        "group_subtasks",
        .object(
          groups.reversed().map { (key: $0.group.name, value: JSONValue($0.group.members)) })
      ),
      ("configs", sorted(tasks.map { ($0.task.name, Self.configuration($0)) })),
      (
        "versions",
        sorted(
          tasks.map { ($0.task.name, JSONValue($0.task.version)) }
            + groups.map { result in
              (result.group.name, .string(result.group.version.map { "\($0)" } ?? "N/A"))
            })
      ),
      (
        "n-shot",
        sorted(
          tasks.map { ($0.task.name, JSONValue($0.shots)) }
            + groups.compactMap { group in
              shotsOfGroup(group).map { (group.group.name, JSONValue($0)) }
            }
        )
      ),
      (
        "higher_is_better",
        sorted(
          tasks.map { ($0.task.name, Self.directions($0.figures)) }
            + groups.compactMap { result in
              directionsOfGroup(result).map { (result.group.name, $0) }
            })
      ),
      (
        "n-samples",
        .object(
          tasks.map { result in
            (
              key: result.task.name,
              value: [
                "original": JSONValue(result.available),
                "effective": JSONValue(result.outcomes.count),
              ]
            )
          })
      ),
      (
        "config",
        .object(
          [
            ("model", "tritlab"), ("model_args", .string(model)),
            ("limit", options.limit.map { JSONValue($0) } ?? .null),
            ("bootstrap_iters", JSONValue(options.resamples)),
            ("fewshot_seed", JSONValue(options.seed)),
          ] + settings)
      ),
      ("date", JSONValue(date)), ("lm_eval_version", .string(HarnessTask.harnessVersion)),
      ("model_source", "tritlab"), ("model_name", .string(model)),
      ("model_name_sanitized", .string(Self.sanitized(model))),
      ("total_evaluation_time_seconds", .string("\(seconds)")), ("tritlab", own),
    ]
    if logsSamples {
      document.append(
        ("samples", .object(tasks.map { (key: $0.task.name, value: Self.samples(of: $0)) })))
    }
    return .object(document)
  }

  /// What came of each question: the answers as pairs of ln p and whether it is greedy (of whole
  /// texts ln p alone), and the figures.
  private static func samples(of result: HarnessTaskResult) -> JSONValue {
    .array(
      result.outcomes.enumerated().map { index, outcome in
        let answers = outcome.answers.map { answer -> JSONValue in
          let value = JSONValue(answer.logLikelihood)
          return answer.isGreedy.map { .array([value, JSONValue($0)]) } ?? value
        }
        let figures = result.task.metrics.map { metric -> (key: String, value: JSONValue) in
          let value = JSONValue(outcome.values[metric].map { JSONValue($0) })
          return (
            metric.rawValue,
            outcome.weights[metric].map { .array([value, JSONValue($0)]) } ?? value
          )
        }
        return .object(
          [
            ("doc_id", JSONValue(index)),
            ("target", JSONValue(outcome.right.map { JSONValue($0) })),
            ("filtered_resps", .array(answers)), ("filter", "none"),
            ("metrics", JSONValue(result.task.metrics.map(\.rawValue))),
          ] + figures)
      })
  }

  /// What the harness does not tell: `acc_bytes`, Wilson intervals of shares, the mean of a group
  /// over its tasks, what was run.
  private var own: JSONValue {
    func member(_ result: HarnessTaskResult) -> JSONValue {
      var members: [(key: String, value: JSONValue)] = []
      if let bytes = result.byteAccuracy {
        members += [
          ("acc_bytes", JSONValue(bytes.value)),
          ("acc_bytes_stderr", JSONValue(bytes.error.map { JSONValue($0) })),
        ]
      }
      if let figure = result.figure(.accuracy),
        let interval = ShareInterval(share: figure.value, of: Double(result.outcomes.count))
      {
        members += [
          ("acc_lower", JSONValue(interval.lower)), ("acc_upper", JSONValue(interval.upper)),
        ]
      }
      return .object(members)
    }
    return [
      "tasks": .object(tasks.map { (key: $0.task.name, value: member($0)) }),
      "groups": .object(
        groups.map { result in
          let shares = tasks.filter { result.group.tasks.contains($0.task.name) }
            .compactMap { $0.figure(.accuracy)?.value }
          return (
            key: result.group.name,
            value: ["acc_mean_over_tasks": JSONValue(HarnessStatistics.mean(shares))]
          )
        }),
      "truncated": JSONValue(truncated), "tokens_run": JSONValue(tokensRun),
    ]
  }

  /// A model's name as the harness makes a folder of it (`sanitize_model_name`).
  public static func sanitized(_ model: String) -> String {
    var result = ""
    var wasReplaced = false
    for scalar in model.unicodeScalars {
      let isBad = "\"<>:/|\\?*[]".unicodeScalars.contains(scalar)
      if !isBad { result.unicodeScalars.append(scalar) } else if !wasReplaced { result += "__" }
      wasReplaced = isBad
    }
    return result
  }

  /// The harness passes on what all direct members of a group have alike; groups of groups have
  /// nothing there.
  private func shotsOfGroup(_ result: HarnessGroupResult) -> Int? {
    result.group.members.contains { HarnessGroup.named($0) != nil } ? nil : result.shots
  }

  private func directionsOfGroup(_ result: HarnessGroupResult) -> JSONValue? {
    guard !result.group.members.contains(where: { HarnessGroup.named($0) != nil }) else {
      return nil
    }
    let inner = tasks.filter { result.group.members.contains($0.task.name) }
    return Self.directions(inner.flatMap(\.figures) + result.figures)
  }

  private static func directions(_ figures: [HarnessFigure]) -> JSONValue {
    var members: [(key: String, value: JSONValue)] = []
    for figure in figures where !members.contains(where: { $0.key == figure.name }) {
      members.append((figure.name, JSONValue(figure.higherIsBetter)))
    }
    return .object(members)
  }

  private static func members(_ figures: [HarnessFigure]) -> [(key: String, value: JSONValue)] {
    figures.flatMap {
      [
        ("\($0.name),none", JSONValue($0.value)),
        ("\($0.name)_stderr,none", $0.error.map { JSONValue($0) } ?? "N/A"),
      ]
    }
  }

  private static func figures(of result: HarnessTaskResult) -> JSONValue {
    .object(
      [
        ("name", .string(result.task.name)), ("alias", .string(result.task.alias)),
        ("sample_len", JSONValue(result.outcomes.count)),
      ] + members(result.figures))
  }

  private static func figures(of result: HarnessGroupResult) -> JSONValue {
    .object(
      [
        ("alias", .string(result.group.alias)), ("name", .string(result.group.name)),
        ("sample_len", JSONValue(result.count)),
      ] + members(result.figures) + [
        (
          "sample_count",
          .object(
            result.figures.map { (key: "\($0.name),none", value: JSONValue(result.count)) })
        )
      ])
  }

  /// The configuration of a task, with the keys of the harness's `TaskConfig`.
  private static func configuration(_ result: HarnessTaskResult) -> JSONValue {
    let task = result.task
    var members: [(key: String, value: JSONValue)] = [("task", .string(task.name))]
    if task.alias != task.name { members.append(("task_alias", .string(task.alias))) }
    members.append(("dataset_path", .string(task.dataset)))
    if let configuration = task.configuration {
      members.append(("dataset_name", .string(configuration)))
    }
    members.append((task.split == "test" ? "test_split" : "validation_split", .string(task.split)))
    if task.exampleSplit != task.split {
      let key =
        switch task.exampleSplit {
        case "train": "training_split"
        case "validation": "validation_split"
        default: "fewshot_split"
        }
      members.append((key, .string(task.exampleSplit)))
    }
    members += task.settings
    members += [
      ("description", .string(task.description)),
      ("target_delimiter", .string(HarnessTask.targetDelimiter)),
      ("fewshot_delimiter", .string(HarnessTask.exampleDelimiter)),
      ("num_fewshot", JSONValue(result.shots)),
      (
        "metric_list",
        .array(
          task.metrics.map {
            ["metric": .string($0.rawValue), "higher_is_better": JSONValue($0.higherIsBetter)]
          })
      ),
      ("output_type", .string(task.outputType)), ("repeats", 1),
      ("metadata", ["version": JSONValue(task.version), "data_sha256": .string(result.digest)]),
    ]
    return .object(members)
  }
}
