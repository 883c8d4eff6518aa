# Share of multiple-choice questions answered rightly: all of them with their interval, and each kind.
# data: row, accuracy, both ends of the 95 % Wilson interval, label, shown, one column for each kind.
# chance: accuracy of guessing.  kinds, kind[]: how many kinds (0 where there is one), and their names; kind_sign[],
# kind_ink[]: their symbols and colours, one a little below the other, so that equal ones are seen.  low, high, ticks: the axis
eval frame
eval by_variant
set xrange [low:high]
eval 'set xtics '.ticks
if (chance == chance) { set arrow 1 from first chance, graph 0 to first chance, graph 1 nohead lc rgb gray dt 2 lw 1.5 }
plot for [k=1:kinds] data using (column(6+k)):($1+0.12+0.28*(k-0.5)/kinds) with points pt kind_sign[k] lc rgb value(kind_ink[k]) ps 0.6 lw 1.2, \
  data using 2:($1-0.1):3:4:ytic(5) with xerrorbars lc rgb black pt 7 ps 0.9 lw 1.6, \
  data using (high):1:6 with labels left offset 1,0 font sprintf(',%g', value_size)
