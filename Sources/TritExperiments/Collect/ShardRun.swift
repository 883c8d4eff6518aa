internal import Foundation
internal import TritCore
internal import TritFormats

/// A run directory as `collect` reads it.
struct ShardRun {
  let path: String
  let plan: PlanFile
  let environment: JSONValue
  /// Its records, each with the files that it names.
  let records: [(record: RunRecord, files: [String])]

  var name: String { (path as NSString).lastPathComponent }

  /// Reads a run directory. Throws what is wrong with it, by name.
  init(_ path: String) throws {
    self.path = path
    for file in ["experiment.yaml", "environment.json", PlanFile.name]
    where FileKind(at: path + "/" + file) != .file {
      throw LabError(
        .missingInput, "the run directory is not whole: \(file) is missing", at: path,
        expected: "a folder that 'trit run' has written",
        advice: file == PlanFile.name
          ? "it is of an older version of trit: measure again with this one" : "copy it whole")
    }
    plan = try PlanFile.read(path)
    environment = try JSONReader.read(
      String(decoding: WholeFile.read(path + "/environment.json", limit: .small), as: UTF8.self),
      path: path + "/environment.json")
    let log = path + "/" + RecordSource.log
    let data = Data(try WholeFile.read(log, limit: .records))
    records = try data.split(separator: 0x0A).enumerated().compactMap { number, line in
      do {
        let record = try RecordCoding.decode(Data(line))
        var files = (record.part?.files ?? [:]).values.sorted()
        // Samples that other measures keep beside a record.
        let document = try? JSONReader.read(String(decoding: line, as: UTF8.self))
        if let samples = document?["samples"]?.string { files.append(samples) }
        return (record, files)
      } catch let error as LabError where error.code == RecordCoding.foreignForm {
        throw error.inside("\(log):\(number + 1)")
      } catch {
        // Half a line that a killed run has left.
        return nil
      }
    }
  }

  /// What the figures of the run depend on beside its plan: by name, and in words where two runs
  /// differ.
  var inputs: [(name: String, value: String)] {
    var list: [(String, String)] = []
    for kind in ["models", "data"] {
      for input in environment[kind]?.array ?? [] {
        let name = "\(kind == "models" ? "model" : "data") \(input["name"]?.string ?? "?")"
        list.append((name, input["digest"]?.string ?? "?"))
      }
    }
    let version = environment["version"]?.string ?? "?"
    list.append(("program", "trit \(version), \(environment["program"]?.string ?? "?")"))
    return list
  }

  /// Every run directory in `paths`: each itself, or those that lie in it.
  static func find(_ paths: [String]) throws -> [String] {
    var found: [String] = []
    for path in paths {
      let logs = try RecordSource(path).logs()
      for log in logs {
        let folder = (log as NSString).deletingLastPathComponent
        let clean = folder.isEmpty ? "." : folder
        if !found.contains(clean) { found.append(clean) }
      }
    }
    return found
  }
}
