import Testing
import TritExperiments
import TritLab

/// The laws of measures and figures, which have no formula: what can be known of them without a
/// model.
@Suite struct StageLawTests {
  private enum Sloppy: Figure {
    static let key = "style"
    static let summary = "nothing"
    static let needs: [String] = []
    static let template: String? = "\n"
    static func data(_ report: Report) -> PlotData? { nil }
  }

  private struct Careless: Measure {
    static let key = "care/less"
    static let summary = "nothing"
    static let fields = [
      MeasureField("n", "A number.", .integer(1...4), standard: .integer(5)),
      MeasureField("n", "Another.", .word([("a", "")]), standard: .text("b")),
      MeasureField("r", "Fine: whole numbers count.", .real(0...1), standard: .integer(1)),
    ]
    static let columns = [ReportColumn("A", key: "other.a", meaning: "a")]
    init(_ settings: MeasureSettings) {}
    func run(_ run: MeasureRun) throws -> Measured { Measured(metrics: [:]) }
  }

  private struct Choosy: Measure {
    static let key = "choosy"
    static let summary = "nothing"
    static let fields = [MeasureField("n", "A number.", .integer(1...4), standard: .integer(2))]
    init(_ settings: MeasureSettings) throws {
      throw settings.fault("never \(settings.integer("n"))", at: "n")
    }
    func run(_ run: MeasureRun) throws -> Measured { Measured(metrics: [:]) }
  }

  @Test func thoseOfTheLabKeepThem() throws {
    for kind in Lab.standard.kinds(in: .experiment) {
      for descriptor in kind.descriptors {
        let broken = try Lab.standard.violations(of: kind.key, descriptor.name)
        #expect(broken.isEmpty, "\(broken)")
      }
    }
  }

  @Test func eachLawCanBeBroken() {
    let figure = checkFigure(FigureDefinition(Sloppy.self))
    #expect(
      figure.map(\.law) == [
        "a figure is no file that all figures read", "a template draws something",
      ])
    let careless = checkMeasure(MeasureDefinition(Careless.self))
    #expect(
      careless.map(\.law) == [
        "a key is letters, digits, '-' and '_'", "a default is a value that a file may give",
        "settings have names of their own", "a default is a value that a file may give",
        "columns are of the measure's own metrics",
      ])
    #expect(careless.allSatisfy { $0.evidence.hasPrefix("measure 'care/less': ") })
    let choosy = checkMeasure(MeasureDefinition(Choosy.self))
    #expect(choosy.map(\.law) == ["a measure can be made of its defaults"])
    #expect(choosy.first?.evidence.contains("never 2") == true)
  }

  /// Every kind that a plug-in can add to has laws: a stage under a name that has none is a hole.
  @Test func everyKindHasLaws() throws {
    for kind in Lab.standard.kinds {
      #expect(Lab.standard.hasLaws(kind.key), "\(kind.key)")
    }
  }
}
