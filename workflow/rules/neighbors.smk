# Indexes the poses of each animal and writes the swap table, one job for each run. Hidden trials are neither queries nor
# targets. Rows whose settings change the table have a variant of it.
rule neighbors:
    input:
        dataset=DATASET,
        splits=SPLIT_TABLE,
    output:
        table=f"{RESULTS}/neighbors/{{variant}}/{{run}}.npz",
        report=f"{RESULTS}/neighbors/{{variant}}/{{run}}.json",
    log:
        f"{RESULTS}/logs/neighbors/{{variant}}/{{run}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/neighbors/{{variant}}/{{run}}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=grows(3000),
        runtime=grows(60),
    params:
        dataset=dataset_folder,
        config=lambda wildcards: plan.depends_on.variant_sections(
            wildcards.variant, *NEIGHBORS
        ),
        code=plan.code("neighbors"),
        run=lambda wildcards: plan.run_options(wildcards.run),
    shell:
        "python -m neural_action neighbors --config {params.config:q} --dataset {params.dataset:q} --splits {input.splits:q} {params.run:q}"
        " --threads {threads} --output {output.table:q} --report {output.report:q} 2> {log:q}"
