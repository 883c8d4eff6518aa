import TritCore

/// Tasks that are told together.
public struct HarnessGroup: Sendable {
  /// A mean over the tasks of a group.
  public struct Mean: Sendable {
    /// Its name: that of a metric, or one of its own.
    public let name: String
    /// The metrics that it takes of each task, the first that the task has.
    public let metrics: [TaskMetric]
    /// Whether a task counts by its number of questions (micro), or as one (macro).
    public let isWeighted: Bool
  }

  /// Its name.
  public let name: String
  /// Its name in tables.
  public let alias: String
  /// The version of the group in the harness; nil for one of the lab's own.
  public let version: Int?
  /// Names of its members, tasks or groups, in the order of the harness.
  public let members: [String]
  /// What is told of it.
  public let means: [Mean]

  /// Every group.
  public static let all: [HarnessGroup] =
    [avg5, mmlu]
    + mmluSubjects.map { group, alias, subjects in
      HarnessGroup(
        name: group, alias: alias, version: 2, members: subjects.map { "mmlu_" + $0 },
        means: [Mean(name: "acc", metrics: [.accuracy], isWeighted: true)])
    }

  /// The group called `name`.
  public static func named(_ name: String) -> HarnessGroup? { all.first { $0.name == name } }

  /// Five tasks that papers on quantization report the mean of. The mean is over tasks, not over
  /// questions: of `acc`, and of `acc_norm` with `acc` for WinoGrande, which has no `acc_norm`.
  /// Papers differ in which they take.
  static let avg5 = HarnessGroup(
    name: "avg5", alias: "avg5", version: nil,
    members: ["piqa", "arc_easy", "arc_challenge", "hellaswag", "winogrande"],
    means: [
      Mean(name: "acc", metrics: [.accuracy], isWeighted: false),
      Mean(
        name: "acc_norm_else_acc", metrics: [.normalizedAccuracy, .accuracy], isWeighted: false),
    ])

  /// The mean over tasks that were named one by one, told as `avg5` is. No name of a task or group.
  package static func mean(of tasks: [String]) -> HarnessGroup {
    HarnessGroup(
      name: "mean", alias: "mean", version: nil, members: tasks, means: avg5.means)
  }

  static let mmlu = HarnessGroup(
    name: "mmlu", alias: "mmlu", version: 2,
    members: ["mmlu_stem", "mmlu_other", "mmlu_social_sciences", "mmlu_humanities"],
    means: [Mean(name: "acc", metrics: [.accuracy], isWeighted: true)])

  /// The names of the tasks below it, in order.
  public var tasks: [String] {
    members.flatMap { Self.named($0)?.tasks ?? [$0] }
  }

  static let mmluSubjects: [(group: String, alias: String, subjects: [String])] = [
    (
      "mmlu_stem", "stem",
      [
        "abstract_algebra", "anatomy", "astronomy", "college_biology", "college_chemistry",
        "college_computer_science", "college_mathematics", "college_physics", "computer_security",
        "conceptual_physics", "electrical_engineering", "elementary_mathematics",
        "high_school_biology", "high_school_chemistry", "high_school_computer_science",
        "high_school_mathematics", "high_school_physics", "high_school_statistics",
        "machine_learning",
      ]
    ),
    (
      "mmlu_other", "other",
      [
        "business_ethics", "clinical_knowledge", "college_medicine", "global_facts",
        "human_aging", "management", "marketing", "medical_genetics", "miscellaneous", "nutrition",
        "professional_accounting", "professional_medicine", "virology",
      ]
    ),
    (
      "mmlu_social_sciences", "social sciences",
      [
        "econometrics", "high_school_geography", "high_school_government_and_politics",
        "high_school_macroeconomics", "high_school_microeconomics", "high_school_psychology",
        "human_sexuality", "professional_psychology", "public_relations", "security_studies",
        "sociology", "us_foreign_policy",
      ]
    ),
    (
      "mmlu_humanities", "humanities",
      [
        "formal_logic", "high_school_european_history", "high_school_us_history",
        "high_school_world_history", "international_law", "jurisprudence", "logical_fallacies",
        "moral_disputes", "moral_scenarios", "philosophy", "prehistory", "professional_law",
        "world_religions",
      ]
    ),
  ]
}

/// What a list of names asks for: tasks, and groups that are told beside them.
public struct HarnessSelection: Sendable {
  /// The names as they were given.
  public let names: [String]
  /// The tasks, each once, in order.
  public let tasks: [HarnessTask]
  /// The groups, those within others among them; a group stands after those within it.
  public let groups: [HarnessGroup]

  /// Every name that can be asked for.
  public static var known: [String] {
    HarnessTask.all.filter { $0.part == nil }.map(\.name) + HarnessGroup.all.map(\.name)
      + HarnessTask.all.filter { $0.part != nil }.map(\.name)
  }

  /// The tasks and groups called `names`. Throws a usage error for a name that nobody has, or none
  /// at all.
  public init(_ names: [String]) throws {
    self.names = names
    var tasks: [HarnessTask] = []
    var groups: [HarnessGroup] = []
    func add(_ group: HarnessGroup) {
      for member in group.members { if let inner = HarnessGroup.named(member) { add(inner) } }
      if !groups.contains(where: { $0.name == group.name }) { groups.append(group) }
    }
    func add(_ task: HarnessTask) {
      if !tasks.contains(where: { $0.name == task.name }) { tasks.append(task) }
    }
    for name in names {
      if let group = HarnessGroup.named(name) {
        add(group)
        group.tasks.compactMap { HarnessTask.named($0) }.forEach(add)
      } else if let task = HarnessTask.named(name) {
        add(task)
      } else {
        throw LabError(
          .usage, "there is no task '\(name)'",
          expected: "one of: "
            + Self.known.filter { !$0.hasPrefix("mmlu_") }.joined(separator: ", ")
            + ", or mmlu_SUBJECT",
          advice: Suggestion.didYouMean(name, Self.known), code: .unknownName)
      }
    }
    guard !tasks.isEmpty else {
      throw LabError(.usage, "no task is named", expected: "names with commas between: piqa,boolq")
    }
    self.tasks = tasks
    self.groups = groups
  }
}
