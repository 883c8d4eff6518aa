internal import Foundation
internal import TritCore
internal import TritFormats

/// `samples/ID.safetensors` beside the records: a tensor `SECTION.COLUMN` for each column of each
/// section's samples, float32; `SECTION.unit`, `SECTION.content` and, where units belong to several
/// tasks, `SECTION.parts` (JSON) in the metadata.
package enum SampleFile {
  /// The folder in the run directory.
  static let folder = "samples"

  /// The name of a record's file: a variant can make the choices of the reference, and has its id
  /// then.
  static func name(of record: RunRecord) -> String {
    record.role == .reference ? "reference-\(record.id)" : record.id
  }

  /// Keeps the samples of one record and gives their place, relative to the run directory. Throws
  /// `cannotCreate`.
  static func keep(
    _ tables: [String: SampleTable], name: String, in directory: String
  ) throws -> String {
    try RunFiles.makeFolder(directory + "/" + folder)
    let place = "\(folder)/\(name).safetensors"
    try write(tables, to: directory + "/" + place)
    return place
  }

  /// Writes tables by section, whole or not at all. Throws `cannotCreate`.
  package static func write(_ tables: [String: SampleTable], to path: String) throws {
    var contents: [TensorContent] = []
    var metadata = ["format": "trit/samples/1"]
    for (section, table) in tables {
      metadata["\(section).unit"] = table.unit
      metadata["\(section).content"] = table.content
      if let parts = table.parts {
        metadata["\(section).parts"] = String(
          decoding: try RecordCoding.encode(parts), as: UTF8.self)
      }
      for (name, values) in table.columns {
        contents.append(
          try TensorContent(
            name: "\(section).\(name)", type: .f32, shape: [values.count]
          ) { sink in
            try values.map { Float($0) }.withUnsafeBytes { try sink($0) }
          })
      }
    }
    try SafetensorsWriter.write(contents, metadata: metadata, to: path)
  }

  /// Reads tables by section. Throws `missingInput` and `badData` with the file, and the tensor
  /// where one is wrong.
  package static func read(_ path: String) throws -> [String: SampleTable] {
    let file = try SafetensorsFile(path: path)
    var tables: [String: SampleTable] = [:]
    for info in file.tensors {
      let parts = info.name.split(separator: ".", maxSplits: 1).map(String.init)
      guard parts.count == 2, let unit = file.metadata["\(parts[0]).unit"],
        let content = file.metadata["\(parts[0]).content"], info.shape.count == 1,
        info.type == .f32
      else {
        throw LabError(
          .badData, "this is no file of samples", at: "\(path): tensor '\(info.name)'",
          expected: "SECTION.COLUMN, one dimension, F32, and SECTION.unit in the metadata",
          got: "\(info.type.name) \(info.shape)",
          advice: "give a file of samples/ in a run directory")
      }
      let bytes = try file.bytes(info.name)
      let values = (0..<info.count).map {
        Double(bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self))
      }
      tables[parts[0], default: SampleTable(unit: unit, content: content, columns: [:])]
        .columns[parts[1]] = values
    }
    for section in tables.keys {
      guard let text = file.metadata["\(section).parts"], let table = tables[section] else {
        continue
      }
      let count = table.columns.values.map(\.count).min() ?? 0
      guard let parts = try? RecordCoding.decoder().decode(SampleParts.self, from: Data(text.utf8)),
        parts.isSound(count: count)
      else {
        throw LabError(
          .badData, "the tasks of these samples are none", at: "\(path): \(section).parts",
          expected: "JSON with the first question of each task and their number, \(count) in all",
          got: String(text.prefix(60)), advice: "measure again: the file is damaged")
      }
      tables[section]?.parts = parts
    }
    return tables
  }

  /// The absolute path of a record's samples in the run directory `folder`; nil where it names
  /// none, another place, or one where nothing is.
  package static func path(of record: RunRecord, in folder: String) -> String? {
    guard let place = record.samples, place.hasPrefix(Self.folder + "/"),
      !place.split(separator: "/").contains("..")
    else { return nil }
    let path = AbsolutePath.standardized(folder + "/" + place)
    return FileKind(at: path) == .file ? path : nil
  }

  /// Brings the file at `source` along into the run directory, as a link where that can be, and
  /// gives its place there. Throws `cannotCreate`.
  static func adopt(_ source: String, name: String, into directory: String) throws -> String {
    try RunFiles.makeFolder(directory + "/" + folder)
    let manager = FileManager.default
    var place = "\(folder)/\(name).safetensors"
    var number = 1
    // Records of several runs can have one id.
    while FileKind(at: directory + "/" + place) != .absent {
      if manager.contentsEqual(atPath: source, andPath: directory + "/" + place) { return place }
      number += 1
      place = "\(folder)/\(name)-\(number).safetensors"
    }
    try RunFiles.bring(source, to: directory + "/" + place)
    return place
  }
}
