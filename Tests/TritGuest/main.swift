import Foundation
import TritCommand
import TritLab

// A program of somebody else's: the command with a stage more, and with plug-ins of a form of their
// own. A file has a line a stage: `quantizer NAME` adds a quantizer that does as 'absmean' does.

var lab = Lab.standard
try lab.add(
  .quantizer,
  StageDescriptor(
    "guest", summary: "absmean under another name", source: "a test",
    parameters: [
      ParameterDescriptor("strength", "does nothing", .integer(1...9), default: .integer(3))
    ], origin: .package("TritGuest"))
) { _ in try Lab.standard.make(.quantizer, StageChoice("absmean")) }

TritCommand.main(lab: lab) { path, lab in
  guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
    throw LabError(.missingInput, "there is no such plug-in", at: path, code: .notBuilt)
  }
  for line in text.split(separator: "\n") {
    let words = line.split(separator: " ").map(String.init)
    guard words.count == 2, words[0] == "quantizer" else {
      throw LabError(.badData, "no line of a plug-in", at: path, got: String(line))
    }
    try lab.add(
      .quantizer,
      StageDescriptor(
        words[1], summary: "absmean from a file", source: "a test",
        origin: .plugin(path: path, digest: "0123456789abcdef"))
    ) { _ in try Lab.standard.make(.quantizer, StageChoice("absmean")) }
  }
}
