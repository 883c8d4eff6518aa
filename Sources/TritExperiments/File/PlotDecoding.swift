internal import Foundation
internal import TritCore

extension ExperimentDecoder {
  /// The plots: names of figures, and templates of the user's own, `{template: mine.gp, data:
  /// throughput}`. `measure` is nil where records say what was measured.
  func plots(_ node: YAMLNode, measure: Measurements?, hasReference: Bool) -> [PlannedPlot] {
    guard let list = node.elements else {
      problems.wrongType(node, "plots", expected: "a list of plots: [perplexity-by-variant, …]")
      return []
    }
    var names: Set<String> = []
    return list.enumerated().compactMap { index, item in
      let path = "plots[\(index)]"
      guard let plot = item.entries == nil ? named(item, path) : templated(item, path) else {
        return nil
      }
      guard names.insert(plot.name).inserted else {
        problems.add(
          "'\(plot.name)' is drawn already", path, at: item.position,
          expected: "each plot once, and templates with names of their own")
        return nil
      }
      if let measure { check(plot.figure, measure, hasReference: hasReference, item, path) }
      return plot
    }
  }

  /// What a file draws that says nothing of plots: the differences to the baseline. `plots: []`
  /// draws nothing.
  var defaultPlots: [PlannedPlot] {
    stages.lab.figures.filter { [DifferencesFigure.key, SeedsFigure.key].contains($0.key) }.map {
      PlannedPlot(figure: $0, name: $0.key, template: nil, isDefault: true)
    }
  }

  private func named(_ node: YAMLNode, _ path: String) -> PlannedPlot? {
    figure(node, path).map { PlannedPlot(figure: $0, name: $0.key, template: nil) }
  }

  private func figure(_ node: YAMLNode, _ path: String) -> FigureDefinition? {
    let figures = stages.lab.figures
    let word = problems.word(node, path, figures.map(\.key))
    return figures.first { $0.key == word }
  }

  private func templated(_ node: YAMLNode, _ path: String) -> PlannedPlot? {
    guard let fields = Fields(node, path, keys: ["template", "data"], problems) else { return nil }
    guard let place = fields["template"] else {
      fields.missing(
        "template",
        expected: "a gnuplot template beside this file, as {template: mine.gp, data: "
          + "throughput}")
      return nil
    }
    guard let data = fields["data"] else {
      fields.missing("data", expected: "the plot whose data it draws, as data: throughput")
      return nil
    }
    guard let template = pathReference(place, fields.keyPath("template")),
      let figure = figure(data, fields.keyPath("data"))
    else { return nil }
    guard FileKind(at: template.path) == .file else {
      problems.add(
        "there is no such template", fields.keyPath("template"), at: place.position,
        expected: "a file with gnuplot commands", got: template.path)
      return nil
    }
    let stem = (template.path as NSString).lastPathComponent.split(separator: ".").first
    let name = stem.map { String($0).slug } ?? ""
    guard !name.isEmpty, !stages.lab.figures.contains(where: { $0.key == name }), name != "style"
    else {
      problems.add(
        "the template has the name of a plot of the lab's", fields.keyPath("template"),
        at: place.position, expected: "a file name of its own, in letters and digits",
        got: template.text)
      return nil
    }
    return PlannedPlot(figure: figure, name: name, template: template)
  }

  private func check(
    _ figure: FigureDefinition, _ measure: Measurements, hasReference: Bool, _ node: YAMLNode,
    _ path: String
  ) {
    for section in figure.needs where !measure.asked.contains(section) {
      problems.add(
        "'\(figure.key)' draws what is not measured", path, at: node.position,
        expected: "'\(section)' in 'measure'", advice: "add measure.\(section), or drop the plot")
    }
    if figure.needsReference, !hasReference {
      problems.add(
        "'\(figure.key)' compares with the reference", path, at: node.position,
        expected: "a reference", got: "reference: none")
    }
  }
}
