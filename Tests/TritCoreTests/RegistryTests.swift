import Testing
import TritCore

@Suite struct RegistryTests {
  static let number = StageKind<Int>("number", stage: "number", scope: .model)

  private var registry: Registry<Int> {
    var registry = Registry(Self.number)
    registry.register(
      StageDescriptor(
        "double", summary: "twice", source: "arithmetic",
        parameters: [ParameterDescriptor("of", "operand", .integer(0...9), default: .integer(2))])
    ) { 2 * $0.integer("of") }
    return registry
  }

  @Test func fillsInDefaultsAndPassesValues() throws {
    #expect(try registry.make(StageChoice("double")) == 4)
    #expect(try registry.make(StageChoice(parsing: "double:of=5")) == 10)
  }

  @Test func aTypoIsAnErrorThatSuggests() {
    #expect {
      try registry.make(StageChoice("duoble"))
    } throws: { ($0 as? LabError)?.advice == "did you mean 'double'?" }
  }

  @Test func aValueOutOfRangeNamesTheRange() {
    #expect {
      try registry.make(StageChoice(parsing: "double:of=12"))
    } throws: { ($0 as? LabError)?.expected == "integer 0…9" }
  }

  @Test func aNameWinsOverAnEarlierEntrysAlias() throws {
    var registry = Registry(Self.number)
    registry.register(
      StageDescriptor("one", aliases: ["two"], summary: "1", source: "arithmetic")
    ) { _ in 1 }
    registry.register(StageDescriptor("two", summary: "2", source: "arithmetic")) { _ in 2 }
    #expect(registry.descriptor("two")?.summary == "2")
    #expect(try registry.make(StageChoice("two")) == 2)
  }
}
