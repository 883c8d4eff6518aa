internal import Foundation
public import TritCore

/// Adds what the plug-in at a path holds to a lab: the `plugins` of an experiment file. It throws a
/// `LabError` that names the file.
public typealias ExperimentPlugins = (_ path: String, _ lab: inout Lab) throws -> Void

extension ExperimentFile {
  /// The loader of a program that has none: every plug-in is refused.
  public static func refusePlugins(_ path: String, _ lab: inout Lab) throws {
    throw LabError(
      .usage, "this program loads no plug-ins of experiment files", at: path,
      expected: "a program that gives a loader, as 'trit run' does",
      advice: "run the file with 'trit run', or give 'plugins:' where the file is read")
  }

  /// `lab` with the plug-ins that the file at `path` names, overrides applied. Nothing else of the
  /// file is decoded. Throws what reading the file throws, and `LabErrors` with the place of every
  /// plug-in that cannot be loaded.
  package static func lab(
    ofFile path: String, overrides: [String], lab: Lab, plugins: ExperimentPlugins
  ) throws -> Lab {
    try Self.lab(
      of: YAMLReader.read(path: path), path: path, overrides: overrides, lab: lab, plugins: plugins)
  }

  /// The same for a document that has been read.
  static func lab(
    of document: YAMLNode, path: String, overrides: [String], lab: Lab, plugins: ExperimentPlugins
  ) throws -> Lab {
    var document = document
    for text in overrides {
      // What is wrong with an override is told when all of them are applied.
      guard let override = try? Override(text, lab: lab), override.firstKey == "plugins" else {
        continue
      }
      try? override.apply(to: &document)
    }
    guard let node = document["plugins"] else { return lab }
    let problems = Problems()
    let decoder = ExperimentDecoder(
      folder: (path as NSString).deletingLastPathComponent,
      stages: StageDecoding(lab: lab, problems: problems), problems: problems)
    let list = decoder.plugins(node)
    try problems.throwIfAny()
    guard !list.isEmpty else { return lab }
    var lab = lab
    for (index, plugin) in list.enumerated() {
      let place = "\(plugin.position): plugins[\(index)]"
      do {
        try PluginPlace.check(plugin.reference.path, experiment: path)
        guard !lab.hasPlugin(at: plugin.reference.path) else { continue }
        try plugins(plugin.reference.path, &lab)
      } catch let error as LabError where error.kind == .interrupted {
        throw error
      } catch let error as LabError {
        problems.add(error.inside(place))
      } catch let errors as LabErrors {
        for error in errors.problems { problems.add(error.inside(place)) }
      } catch {
        problems.add(LabError(.badData, "\(error)", at: place))
      }
    }
    // The rest of the file may name what was not loaded: it is not judged.
    try problems.throwIfAny()
    return lab
  }
}

extension ExperimentDecoder {
  /// More plug-ins than anyone writes for an experiment.
  static let maximumPlugins = 64

  /// The plug-ins that a file names, each once, with where they are written.
  func plugins(_ node: YAMLNode) -> [(reference: PathReference, position: SourcePosition)] {
    guard let list = node.elements else {
      problems.wrongType(
        node, "plugins", expected: "a list of files: [mine.c, other.swift]",
        advice: node.text.map { "write [\($0)]" })
      return []
    }
    guard list.count <= Self.maximumPlugins else {
      problems.add(
        "too many plug-ins", "plugins", at: node.position,
        expected: "at most \(Self.maximumPlugins)", got: "\(list.count)")
      return []
    }
    var seen: [String: SourcePosition] = [:]
    return list.enumerated().compactMap { index, item in
      let path = "plugins[\(index)]"
      guard let reference = pathReference(item, path) else { return nil }
      guard !reference.isName else {
        problems.add(
          "a plug-in comes from a file of yours", path, at: item.position,
          expected: "a path, relative to this file", got: reference.text,
          advice: "what comes with a model is not run; copy the file, read it, and name the copy")
        return nil
      }
      if let earlier = seen.updateValue(item.position, forKey: PluginPlace.real(reference.path)) {
        problems.add(
          "the plug-in stands twice", path, at: item.position, expected: "each plug-in once",
          got: "the first is at \(earlier)")
        return nil
      }
      return (reference, item.position)
    }
  }
}

extension Lab {
  /// The files that stages come from, each once, with what was made of them.
  package var plugins: [(path: String, digest: String)] {
    var result: [(path: String, digest: String)] = []
    for guest in guests {
      guard case .plugin(let path, let digest) = guest.descriptor.origin,
        !result.contains(where: { $0.path == path })
      else { continue }
      result.append((path, digest))
    }
    return result
  }

  /// Whether the file at `path` has been loaded, under whatever name.
  func hasPlugin(at path: String) -> Bool {
    let real = PluginPlace.real(path)
    return plugins.contains { PluginPlace.real($0.path) == real }
  }
}
