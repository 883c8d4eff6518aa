# Arithmetic energy of a token by part, each variant at 45 nm and 7 nm, or at 7 nm alone where there are many.
# data: row, linear, attention, other, head, label, total, shown, row of the variant.  half: of a bar's height.
# low, high, ticks: the axis
eval frame
eval by_variant
set xrange [low:high]
eval 'set xtics '.ticks
bar = half*0.85
plot data using 2:1:(0):2:($1-bar):($1+bar) with boxxyerror lc rgb blue, \
  data using ($2+$3):1:2:($2+$3):($1-bar):($1+bar) with boxxyerror lc rgb orange, \
  data using ($2+$3+$4):1:($2+$3):($2+$3+$4):($1-bar):($1+bar) with boxxyerror lc rgb green, \
  data using 7:1:($2+$3+$4):7:($1-bar):($1+bar) with boxxyerror lc rgb purple, \
  data using (0):9:ytic(6) with dots lc rgb pale, \
  data using (high):1:8 with labels left offset 1,0 font sprintf(',%g', value_size)
