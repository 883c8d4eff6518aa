internal import Foundation
internal import TritCore
internal import TritKernels

/// `environment.json`: everything about program, machine and inputs that figures depend on.
struct RunEnvironment: Encodable {
  var schema = "trit/environment/1"
  let experiment: String
  let version: String
  let commit: String?
  let program: String
  let swift: String
  let optimized: Bool
  let architecture: String
  let cpu: String
  let cpuFeatures: [String]
  let cores: Int
  let memoryBytes: UInt64
  let governor: String?
  let loadAverage: String?
  let threads: Int
  let openBLAS: String
  let openBLASCore: String
  let openBLASVersion: String
  /// Stages from outside the lab, `kernel mine: where it is from`.
  let guests: [String]
  /// Files that they were compiled from, with the SHA-256 of what was compiled.
  let plugins: [Plugin]
  let models: [InputIdentity]
  let data: [InputIdentity]
  let seed: UInt64
  let plan: String
  let started: String
  let ended: String?
  /// Kernels that ran, by label of the variant.
  let kernels: [String: String]

  struct Plugin: Encodable {
    let path: String
    let digest: String
  }

  init(plan: ExperimentPlan, inputs: RunInputs, records: [RunRecord], started: String) {
    experiment = plan.file.name
    version = inputs.program.version
    commit = inputs.program.commit
    program = inputs.program.digest
    swift = BuildInformation.swiftVersion
    optimized = BuildInformation.isOptimized
    architecture = BuildInformation.architecture
    cpu = inputs.program.cpu
    cpuFeatures = CPUFeatures.here.names
    cores = ProcessInfo.processInfo.activeProcessorCount
    memoryBytes = Machine.memory
    governor = Machine.governor
    loadAverage = Machine.load
    threads = inputs.threads
    openBLAS = OpenBLASRuntime.description
    openBLASCore = OpenBLASRuntime.core
    openBLASVersion = OpenBLASRuntime.version
    guests = inputs.lab.guests.map {
      "\($0.key.rawValue) \($0.descriptor.name): \($0.descriptor.origin.text)"
    }
    plugins = inputs.lab.plugins.map {
      Plugin(path: AbsolutePath.standardized($0.path), digest: $0.digest)
    }
    models = inputs.models.values.sorted { $0.path < $1.path }
    data =
      inputs.data.values.sorted { $0.path < $1.path }
      + inputs.questions.values.sorted { $0.path < $1.path }
    seed = plan.file.seed
    self.plan = plan.identity
    self.started = started
    ended = records.isEmpty ? nil : UTC.text()
    kernels = Dictionary(
      records.compactMap { record in record.facts["kernels"].map { (record.label, $0) } },
      uniquingKeysWith: { first, _ in first })
  }
}

/// `experiment.yaml` of a run: the file with its overrides applied and its paths made absolute, so
/// that it can be run again from anywhere.
enum ResolvedFile {
  static func text(_ plan: ExperimentPlan, inputs: RunInputs) -> String {
    var document = plan.file.document
    func set(_ path: [String], _ value: String, plain: Bool = false) {
      document.set(path, to: YAMLNode(.scalar(value, plain: plain), at: document.position))
    }
    if let model = plan.file.model {
      set(
        ["model"],
        plan.trainingFiles[model.text]
          ?? inputs.models[model.path].map { AbsolutePath.standardized($0.path) } ?? model.path)
    }
    if let tokenizer = plan.file.tokenizer { set(["tokenizer"], absolute(tokenizer)) }
    // Those of the command line, too: the file is to be run again as it is.
    var plugins = plan.file.plugins.map { AbsolutePath.standardized($0.path) }
    for plugin in inputs.lab.plugins where !plugins.contains(AbsolutePath.standardized(plugin.path))
    {
      plugins.append(AbsolutePath.standardized(plugin.path))
    }
    if !plugins.isEmpty {
      let list = plugins.map { YAMLNode(.scalar($0, plain: false), at: document.position) }
      document.set(["plugins"], to: YAMLNode(.sequence(list), at: document.position))
    }
    for section in plan.file.measure.sections {
      for (name, value) in section.settings.values {
        guard case .place(let place) = value, document["measure"]?[section.key]?[name] != nil else {
          continue
        }
        set(["measure", section.key, name], absolute(place))
      }
    }
    if let records = plan.file.records { set(["records"], absolute(records)) }
    document.replaceModels { text in
      plan.trainingFiles[text]
        ?? inputs.models.values.first { $0.name == text }.map {
          AbsolutePath.standardized($0.path)
        }
    }
    set(["seed"], "\(plan.file.seed)", plain: true)
    set(["threads"], "\(inputs.threads)", plain: true)
    // A comment ends with its line, so that a name with another one in it would be read as keys.
    let commented = plan.all.map {
      "# \($0.index)  \($0.id)  \(VisibleText.line($0.label))\n"
    }.joined()
    return
      "# \(VisibleText.line(plan.file.name)), overrides applied, paths absolute. The variants it stands for:\n"
      + commented + YAMLWriter.text(document)
  }

  private static func absolute(_ reference: PathReference) -> String {
    FileManager.default.fileExists(atPath: reference.path) || NameGlob.isGlob(reference.path)
      ? AbsolutePath.standardized(reference.path) : reference.text
  }
}

extension YAMLNode {
  /// Puts what `path` gives in the place of every model that is named by a path, in `base`,
  /// `reference`, `sweep` and `variants`.
  fileprivate mutating func replaceModels(_ path: (String) -> String?) {
    switch content {
    case .mapping(var entries):
      for index in entries.indices {
        let isModel = entries[index].key == "model"
        if isModel, let text = entries[index].value.text,
          !PathReference(text: text, path: "").isName,
          let found = path(text)
        {
          entries[index].value.content = .scalar(found, plain: false)
        } else if isModel, var list = entries[index].value.elements {
          for place in list.indices {
            guard let text = list[place].text, !PathReference(text: text, path: "").isName,
              let found = path(text)
            else { continue }
            list[place].content = .scalar(found, plain: false)
          }
          entries[index].value.content = .sequence(list)
        } else if entries[index].key != "measure" {
          entries[index].value.replaceModels(path)
        }
      }
      content = .mapping(entries)
    case .sequence(var list):
      for index in list.indices { list[index].replaceModels(path) }
      content = .sequence(list)
    case .scalar: break
    }
  }

  /// Puts `value` at a path of keys; makes what is missing, replaces scalars on the way.
  mutating func set(_ path: [String], to value: YAMLNode) {
    guard let key = path.first else {
      self = value
      return
    }
    var entries = self.entries ?? []
    let rest = Array(path.dropFirst())
    if let index = entries.firstIndex(where: { $0.key == key }) {
      entries[index].value.set(rest, to: value)
    } else {
      var child = YAMLNode(.mapping([]), at: position)
      child.set(rest, to: value)
      entries.append(YAMLEntry(key, at: position, child))
    }
    content = .mapping(entries)
  }
}
