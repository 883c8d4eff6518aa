// swift-tools-version: 6.2
import PackageDescription

/// Settings of every Swift target: Swift 6 mode, the upcoming checks that keep imports honest, and
/// views whose life the compiler watches (`MatrixSpan`).
let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableExperimentalFeature("Lifetimes"),
]

/// The libraries, lowest row first. Each imports only from rows above it in this table (DESIGN: the
/// house): core, formats, the stages side by side, model, evaluation and training, experiments.
let libraries: [(name: String, dependencies: [Target.Dependency])] = [
  ("TritCore", ["CTritKernels"]),
  ("TritFormats", ["TritCore"]),
  ("TritTokenization", ["TritCore", "TritFormats"]),
  ("TritQuantization", ["TritCore"]),
  ("TritKernels", ["TritCore", "CTritKernels"]),
  ("TritPlugins", ["TritCore", "TritKernels", "CTritPlugin"]),
  ("TritArena", ["TritCore", "TritKernels"]),
  ("TritDrawing", ["TritCore", "TritQuantization", "TritKernels"]),
  ("TritAttention", ["TritCore", "CTritKernels"]),
  ("TritSampling", ["TritCore"]),
  ("TritStories", ["TritCore"]),
  ("TritTemplates", ["TritCore", "TritFormats"]),
  (
    "TritModel",
    [
      "TritCore", "TritFormats", "TritTokenization", "TritQuantization", "TritKernels",
      "TritAttention", "TritSampling", "TritTemplates",
    ]
  ),
  (
    "TritTraining",
    [
      "TritCore", "TritFormats", "TritTokenization", "TritQuantization", "TritKernels",
      "TritAttention", "TritModel",
    ]
  ),
  (
    "TritEvaluation",
    [
      "TritCore", "TritFormats", "TritTokenization", "TritKernels", "TritModel", "TritStories",
    ]
  ),
  (
    "TritExperiments",
    [
      "TritCore", "TritFormats", "TritTokenization", "TritQuantization", "TritKernels",
      "TritPlugins", "TritDrawing",
      "TritAttention", "TritSampling", "TritModel", "TritStories", "TritTraining", "TritEvaluation",
      "CYaml",
    ]
  ),
  (
    "TritLab",
    [
      "TritCore", "TritFormats", "TritTokenization", "TritQuantization", "TritKernels",
      "TritPlugins", "TritArena", "TritAttention", "TritSampling", "TritStories", "TritModel",
      "TritTraining", "TritEvaluation", "TritExperiments", "TritDrawing", "TritTemplates",
    ]
  ),
  (
    "TritNotebook",
    [
      "TritLab", "TritCore", "TritQuantization", "TritKernels", "TritPlugins", "TritAttention",
      "TritSampling", "TritModel", "TritExperiments", "TritDrawing",
      "TritTokenization", "CTritPlugin",
    ]
  ),
  ("TritJupyter", ["TritCore", "TritFormats", "TritDrawing", "TritNotebook"]),
]

/// Every module has one, for people.
let readme = ["README.md"]
let tested = libraries.map(\.name).filter { $0 != "TritLab" }
/// What tests of a module need beside what all do.
let alsoNeeded: [String: [Target.Dependency]] = [
  "TritPlugins": ["trit"], "TritNotebook": ["TritNotebook", "TritDrawing", "trit"],
  "TritJupyter": ["TritNotebook", "TritJupyter", "trit"],
]

/// Whose tests read files that lie beside them.
let withFixtures: Set<String> = ["TritPlugins", "TritEvaluation", "TritTemplates", "TritTraining"]

let package = Package(
  name: "TritLab",
  products: [
    .executable(name: "trit", targets: ["trit"]),
    .library(name: "TritLab", targets: ["TritLab"]),
    .library(name: "TritCommand", targets: ["TritCommand"]),
  ],
  targets: [
    // MARK: System libraries and C leaves
    .systemLibrary(name: "CYaml", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
    .target(name: "CTritKernels", exclude: readme),
    .target(name: "CTritPlugin", exclude: readme),

    // MARK: The command: a library, and the program that is its main
    .target(
      name: "TritCommand", dependencies: ["TritLab", "TritNotebook", "TritJupyter"],
      exclude: readme, swiftSettings: strict),
    // Plug-ins of Swift are resolved against the program itself: it exports its symbols. The flag
    // is one of the executable alone, so packages can depend on the libraries all the same.
    .executableTarget(
      name: "trit", dependencies: ["TritCommand", "TritLab"], exclude: readme,
      swiftSettings: strict,
      linkerSettings: [
        .unsafeFlags(["-Xlinker", "--export-dynamic"], .when(platforms: [.linux]))
      ]),

    // MARK: Test support: fixtures shared by the suites
    .target(
      name: "_TritTestSupport",
      dependencies: ["TritCore", "TritFormats"],
      path: "Tests/_TritTestSupport",
      swiftSettings: strict),
    .target(name: "_CAllocationCounter", path: "Tests/_CAllocationCounter"),
    .target(name: "_CFuzzHooks", path: "Tests/_CFuzzHooks"),
    // Attacks the libraries and the command's options.
    .executableTarget(
      name: "trit-fuzz",
      dependencies: [
        "TritLab", "TritNotebook", "TritJupyter", "TritCommand", "_TritTestSupport", "_CFuzzHooks",
      ],
      path: "Tests/TritFuzz", swiftSettings: strict),
    // A program of somebody else's that is the command with more stages.
    .executableTarget(
      name: "trit-guest", dependencies: ["TritCommand", "TritLab"], path: "Tests/TritGuest",
      swiftSettings: strict),
    // Kernels that cheat, and a program that races them as the command does, for the tests of the
    // arena.
    .executableTarget(
      name: "trit-arena-cheats", dependencies: ["TritCore", "TritKernels", "TritArena"],
      path: "Tests/ArenaCheats", swiftSettings: strict),
    .testTarget(
      name: "CommandTests",
      dependencies: ["TritLab", "TritCommand", "trit", "trit-guest", "_TritTestSupport"],
      exclude: ["Snapshots"], swiftSettings: strict),
  ]
    + libraries.map {
      .target(
        name: $0.name, dependencies: $0.dependencies, exclude: readme,
        resources: $0.name == "TritModel" ? [.copy("Resources")] : [], swiftSettings: strict)
    }
    + tested.map {
      // Plug-ins are checked by the command; the files that tests compile lie beside them.
      .testTarget(
        name: "\($0)Tests",
        dependencies: ["TritLab", "_TritTestSupport", "_CAllocationCounter"]
          + (alsoNeeded[$0] ?? []),
        exclude: withFixtures.contains($0) ? ["Fixtures"] : [], swiftSettings: strict)
    },
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c11
)
