# Converts raw recordings to Zarr stores (one job for each trial), lays all out as one dataset, and writes the split table.
if plan.writes_samples:

    rule samples:
        input:
            plan.raw_folders,
        output:
            plan.samples,
        log:
            f"{RESULTS}/logs/samples.log",
        benchmark:
            f"{RESULTS}/benchmarks/samples.tsv"
        conda:
            ENVIRONMENT
        threads: 1
        resources:
            mem_mb=grows(500),
            runtime=grows(5),
        params:
            # A function, because Snakemake would take {path} in a reader's patterns for a wildcard.
            config=lambda wildcards: plan.depends_on.sections(
                "convert.reader", "convert.reader_options"
            ),
            code=plan.code("samples"),
            rows=plan.row_names,
            raw=lambda wildcards: plan.raw,
        shell:
            "python -m neural_action samples --config {params.config:q} --raw {params.raw:q} --output {output:q} 2> {log:q}"


rule convert:
    input:
        # The row of the samples table is in params, so that adding a trial converts only that trial.
        raw=lambda wildcards: plan.raw_files(wildcards.animal, wildcards.trial),
    output:
        # The metadata of the store stand for its folder: Snakemake writes a file of its own into a directory().
        metadata=f"{RESULTS}/recordings/{{animal}}/{{trial}}.zarr/zarr.json",
        manifest=f"{RESULTS}/recordings/{{animal}}/{{trial}}.manifest.json",
    log:
        f"{RESULTS}/logs/convert/{{animal}}/{{trial}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/convert/{{animal}}/{{trial}}.tsv"
    group:
        "convert"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=grows(1500),
        runtime=grows(30),
        in_turn=1,
    params:
        store=subpath(output.metadata, parent=True),
        config=lambda wildcards: plan.depends_on.sections("dataset", "convert"),
        code=plan.code("convert", plan.reader_modules),
        row=lambda wildcards: plan.row(wildcards.animal, wildcards.trial).path,
        part=lambda wildcards: plan.part(plan.row(wildcards.animal, wildcards.trial)),
        raw=lambda wildcards: plan.raw,
    shell:
        "python -m neural_action convert --config {params.config:q} --raw {params.raw:q} --path {params.row:q}"
        " --animal {wildcards.animal:q} --trial {wildcards.trial:q} {params.part} --threads {threads}"
        " --store {params.store:q} --manifest {output.manifest:q} 2> {log:q}"


# All recordings as arrays that later jobs memory-map.
rule dataset:
    input:
        MANIFESTS,
    output:
        DATASET,
    log:
        f"{RESULTS}/logs/dataset.log",
    benchmark:
        f"{RESULTS}/benchmarks/dataset.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=grows(2000),
        runtime=grows(30),
    params:
        dataset=subpath(output[0], parent=True),
        code=plan.code("dataset"),
    shell:
        "python -m neural_action dataset --output {params.dataset:q} {input:q} 2> {log:q}"


# The split table: role and visibility of every trial in every split.
rule splits:
    input:
        MANIFESTS,
    output:
        SPLIT_TABLE,
    log:
        f"{RESULTS}/logs/splits.log",
    benchmark:
        f"{RESULTS}/benchmarks/splits.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=grows(500),
        runtime=grows(5),
    params:
        config=plan.depends_on.splits,
        code=plan.code("splits"),
    shell:
        "python -m neural_action splits --config {params.config:q} --output {output:q} {input:q} 2> {log:q}"
