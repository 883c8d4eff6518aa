import Foundation
import TritLab
import TritNotebook

/// Where pages of notebooks go: files, by their endings, and folders.
struct NotebookOutputs {
  private let files: [String]
  private let folders: [String]
  /// What files in a folder end in.
  private let ending: String

  /// Checks `outputs` for `count` notebooks; a folder gets files that end in `ending`. Throws a usage error for an ending that is not known,
  /// and for one file where there are several notebooks.
  init(_ outputs: [String], count: Int, ending: String = ".html") throws {
    var files: [String] = []
    var folders: [String] = []
    for output in outputs {
      if output.hasSuffix("/") || FileKind(at: output) == .folder {
        folders.append(output.hasSuffix("/") ? String(output.dropLast()) : output)
      } else if output.hasSuffix(".html") || output.hasSuffix(".ipynb") {
        files.append(output)
      } else {
        throw LabError(
          .usage, "a notebook becomes a page or a notebook for Jupyter", at: "-o \(output)",
          expected: "a name that ends in .html or .ipynb, or a folder, with / at its end",
          advice: "write -o \(output).html")
      }
    }
    if count > 1, let file = files.first {
      throw LabError(
        .usage, "several notebooks cannot become one file", at: "-o \(file)",
        expected: "a folder", advice: "write -o \((file as NSString).deletingPathExtension)/")
    }
    self.files = files
    self.folders = folders
    self.ending = ending
  }

  /// Writes what `notebook` became; `others` are the notebooks of the same command, in order. Gives
  /// what was written, and tells `note` what could not be shown.
  func write(
    _ notebook: ExecutedNotebook, among others: [String], withOutputs: Bool = true,
    note: (String) -> Void
  ) throws -> [String] {
    var written: [String] = []
    for folder in folders { try Self.make(folder: folder) }
    for path in files + folders.map({ $0 + "/" + Self.name(notebook.path) + ending }) {
      try AtomicFile.write(
        path.hasSuffix(".ipynb")
          ? IPYNBWriter.text(notebook, withOutputs: withOutputs)
          : page(notebook, among: others, note: note), to: path)
      written.append(path)
    }
    return written
  }

  /// Makes a folder where there is none.
  static func make(folder: String) throws {
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
      throw LabError(
        .cannotCreate, "cannot make the folder: \((error as NSError).localizedDescription)",
        at: folder)
    }
  }

  /// The name of a notebook's file without its ending.
  static func name(_ path: String) -> String {
    ((path as NSString).lastPathComponent as NSString).deletingPathExtension
  }

  private func page(
    _ notebook: ExecutedNotebook, among others: [String], note: (String) -> Void
  ) -> String {
    var page = NotebookPage()
    if !folders.isEmpty, let index = others.firstIndex(of: notebook.path) {
      func link(_ index: Int) -> NotebookPage.Link? {
        guard others.indices.contains(index) else { return nil }
        let title = (try? Notebook(path: others[index]).title) ?? Self.name(others[index])
        return NotebookPage.Link(title: title, address: Self.name(others[index]) + ".html")
      }
      page.previous = link(index - 1)
      page.next = link(index + 1)
    }
    let written = page.write(notebook)
    for problem in written.notes { note(problem) }
    return written.html
  }
}
