/// The one style sheet of the site.
enum SiteStyle {
  static let text = """
    :root {
      --ink: #1b1f24; --paper: #fdfdfc; --soft: #56606a; --line: #d9dde1; --band: #f1f3f5;
      --accent: #00639c; --warm: #b34700;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --ink: #e6e8ea; --paper: #15181b; --soft: #a3adb6; --line: #333a40; --band: #1e2327;
        --accent: #6cc0f0; --warm: #f0a060;
      }
    }
    * { box-sizing: border-box; }
    html { -webkit-text-size-adjust: 100%; scroll-padding-top: 1rem; }
    body {
      margin: 0; background: var(--paper); color: var(--ink);
      font: 16px/1.6 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
    }
    a { color: var(--accent); text-underline-offset: .15em; }
    header { border-bottom: 1px solid var(--line); }
    nav {
      max-width: 62rem; margin: 0 auto; padding: .6rem 1rem;
      display: flex; flex-wrap: wrap; gap: .2rem 1.1rem;
    }
    nav a { color: var(--soft); text-decoration: none; padding: .25rem 0; }
    nav a:first-child { color: var(--ink); font-weight: 700; }
    nav a:hover, nav a[aria-current]:not(:first-child) { color: var(--accent); }
    main { max-width: 62rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
    main > p, main > ul, main > ol, section > p { max-width: 44rem; }
    footer {
      max-width: 62rem; margin: 0 auto; padding: 1rem; color: var(--soft); font-size: .85rem;
      border-top: 1px solid var(--line);
    }
    h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .6rem; }
    h2 { font-size: 1.3rem; line-height: 1.3; margin: 2.4rem 0 .7rem; }
    h3 { font-size: 1.08rem; margin: 0 0 .3rem; overflow-wrap: anywhere; }
    .lead { font-size: 1.1rem; color: var(--soft); }
    .path { margin: 0 0 .4rem; font-size: .9rem; color: var(--soft); }
    code { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .9em; }
    p code, li code, dd code, td code { background: var(--band); padding: .08em .3em; border-radius: 4px; }
    code { overflow-wrap: anywhere; }
    pre {
      background: var(--band); padding: .9rem 1rem; border-radius: 8px; overflow-x: auto;
      font: .86rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
    }
    pre code { font-size: inherit; overflow-wrap: normal; }
    .command { white-space: pre-wrap; }
    .command code { overflow-wrap: anywhere; }
    .formula { border-left: 3px solid var(--accent); font-size: .95rem; }
    .cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: .8rem; }
    .card {
      display: flex; flex-direction: column; gap: .25rem; padding: .9rem 1rem; border-radius: 8px;
      border: 1px solid var(--line); color: inherit; text-decoration: none;
    }
    .card:hover, .card:focus { border-color: var(--accent); }
    .card strong { color: var(--accent); }
    .card small { color: var(--soft); margin-top: auto; }
    .one { border-top: 1px solid var(--line); padding: 1.1rem 0 .4rem; }
    .one > p { margin: 0 0 .6rem; }
    .away { color: var(--warm); font-size: .85rem; font-weight: 600; }
    dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.1rem; margin: .4rem 0 .8rem; font-size: .92rem; }
    dt { color: var(--soft); }
    dd { margin: 0; overflow-wrap: anywhere; }
    table { border-collapse: collapse; font-size: .92rem; width: 100%; margin: .6rem 0 1rem; }
    th, td { text-align: left; vertical-align: top; padding: .45rem .8rem .45rem 0; border-bottom: 1px solid var(--line); }
    th { color: var(--soft); font-weight: 600; }
    td:first-child { white-space: nowrap; }
    td:first-child code { overflow-wrap: normal; }
    figure { margin: 1.6rem 0; }
    figure img, figure svg { display: block; width: 100%; height: auto; background: #fff; border-radius: 8px; border: 1px solid var(--line); }
    figure svg.drawing { background: none; border: 0; max-width: 44rem; }
    .drawing text { fill: var(--soft); font: 13px system-ui, sans-serif; }
    .drawing line { stroke: var(--soft); stroke-width: 1; }
    .drawing polyline, .drawing line[class] { fill: none; stroke-width: 2.2; }
    .drawing .c0 { stroke: var(--accent); } .drawing .c1 { stroke: #e08a00; }
    .drawing .c2 { stroke: #0a9d76; } .drawing .c3 { stroke: #cc79a7; }
    .drawing .kept { fill: var(--accent); } .drawing .cut { fill: none; stroke: var(--soft); }
    figcaption { font-size: .88rem; color: var(--soft); margin-top: .4rem; }
    @media (max-width: 40rem) {
      h1 { font-size: 1.6rem; }
      dl { grid-template-columns: 1fr; gap: 0; }
      dd { margin-bottom: .5rem; }
      figure { overflow-x: auto; }
      figure img { min-width: 34rem; }
      .drawing text { font-size: 19px; }
      .formula { font-size: .82rem; }
      thead { display: none; }
      tr { display: block; border-bottom: 1px solid var(--line); padding: .45rem 0; }
      td { display: block; border: 0; padding: .1rem 0; }
      td:first-child { white-space: normal; }
      td[data-label]::before { content: attr(data-label); color: var(--soft); }
    }
    @media print { header { display: none; } a { color: inherit; } }

    """
}
