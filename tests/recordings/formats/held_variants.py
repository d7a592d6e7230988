# ruff: noqa: E501
"""Which test makes the files of each line of docs/reference/formats.md that is read, refused or asked about."""

#: Test -> (program, layout) as the page has them.
HELD = {
    "test_suite2p": [
        ("suite2p", "`plane0/` with F, Fneu, spks, iscell, ops"),
        ("NWB: suite2p", "`{Fluorescence, Neuropil, Deconvolved}/plane<k>`, column `iscell`"),
        ("NWB: suite2p", "(unit, frame) instead of (frame, unit)"),
    ],
    "test_rate_and_neuropil_coefficient_are_those_that_suite2p_noted": [
        ("suite2p", "`plane0/` with `settings.npy` and `db.npy`, no ops.npy"),
    ],
    "test_settings_beside_ops": [
        ("suite2p", "the same beside ops.npy (`save_ops_orig`)"),
    ],
    "test_planes_are_read_side_by_side_in_the_order_of_their_numbers": [
        ("suite2p", "`plane0`, `plane1`, ..., `combined`"),
    ],
    "test_combined_alone_is_read": [
        ("suite2p", "only `combined`"),
    ],
    "test_the_last_volume_may_lack_a_plane_and_other_lengths_are_refused": [
        ("suite2p", "last volume cut off: planes differ by one frame"),
    ],
    "test_only_cells_of_each_plane_are_kept_and_a_plane_may_have_none": [
        ("suite2p", "a plane without ROIs (no F.npy), or without cells"),
        ("suite2p", "`iscell.npy` marks no cell"),
        ("suite2p", "a second channel (`F_chan2.npy`, `redcell.npy`)"),
    ],
    "test_a_folder_without_marks_of_cells_is_refused": [
        ("suite2p", "no `iscell.npy`"),
    ],
    "test_without_neuropil_the_fluorescence_is_read_as_it_is": [
        ("suite2p", "no `Fneu.npy`"),
    ],
    "test_units_without_a_value_are_read_and_named": [
        ("suite2p", "NaN in spks or F"),
    ],
    "test_files_that_are_not_read_have_a_hint": [
        ("suite2p", "only `Fall.mat`"),
        ("NWB", "`.nwb.zarr`"),
        (
            "Inscopix, Scanbox, Nikon, Zeiss, Leica, Olympus",
            "`.isxd`, `.sbx`, `.nd2`, `.czi`, `.lif`, `.oir`",
        ),
    ],
    "test_recordings_that_suite2p_ran_as_one_are_said": [
        ("suite2p", "several folders run as one recording (`frames_per_folder`)"),
    ],
    "test_older_results_are_not_taken_for_others": [
        ("suite2p (MATLAB)", "`F_*_proc.mat`"),
        ("CaImAn", "`.npz`, memory maps"),
    ],
    "test_caiman": [
        ("CaImAn", "`cnmf.save` (.hdf5): estimates, params"),
    ],
    "test_the_best_signal_that_caiman_computed_is_read": [
        ("CaImAn", "`F_dff` not computed (`NoneType`)"),
        ("CaImAn", "components not evaluated (no `idx_components`)"),
    ],
    "test_neuroconv": [
        (
            "NWB: neuroconv",
            "`Fluorescence/{RoiResponseSeries, Neuropil, Deconvolved, Denoised, Baseline}`, `DfOverF/RoiResponseSeries`",
        ),
        ("NWB: neuroconv, CaImAn", "columns `Accepted`, `Rejected`"),
    ],
    "test_neuroconv_with_several_planes": [
        ("NWB: neuroconv", "several planes or channels: `RoiResponseSeriesChan1Plane0`, ..."),
    ],
    "test_series_of_one_name_in_several_modules_keep_their_modules": [
        ("NWB: aind", "`{raw, neuropil, corrected, dff, events}/...` in a module for each plane"),
    ],
    "test_the_allen_institute": [
        (
            "NWB: Allen Institute",
            "`dff`, `corrected_fluorescence`, `demixed_trace`, `neuropil_trace`; `valid_roi`",
        ),
    ],
    "test_dff_is_known_by_its_name_and_unit_wherever_it_lies": [
        ("NWB", "dF/F in a container `Fluorescence`, by its name or unit"),
    ],
    "test_conversion_and_offset_are_applied": [
        ("NWB", "`conversion`, `offset`"),
    ],
    "test_two_that_are_no_planes_are_asked_about": [
        ("NWB", "two series of fluorescence that are not planes"),
        ("NWB", "only deconvolved or neuropil signals"),
    ],
    "test_planes_start_within_a_frame_of_each_other": [
        ("NWB", "planes that start less than a frame apart"),
    ],
    "test_units_are_read_while_they_were_observed_and_what_they_were_judged_is_said": [
        ("NWB", "Units"),
        ("NWB", "Units with `obs_intervals`"),
    ],
    "test_the_mean_of_the_planes_of_a_movie_is_said": [
        ("NWB", "a movie (frame, x, y, z)"),
    ],
    "test_movies_in_nwb_are_raw_fluorescence": [
        ("NWB", "TwoPhotonSeries, OnePhotonSeries in the file"),
    ],
    "test_scanimage_channels": [
        ("ScanImage", "channels, `SI.hChannels.channelSave`"),
    ],
    "test_scanimage_volumes_with_flyback_and_a_last_one_that_was_cut_off": [
        ("ScanImage", "volumes with flyback, `numFramesPerVolumeWithFlyback`"),
        ("ScanImage", "volumes, `hFastZ.numDiscardFlybackFrames`"),
        ("ScanImage", "last volume cut off"),
    ],
    "test_scanimage_takes_several_frames_of_a_plane": [
        ("ScanImage", "frames averaged before saving; several frames a plane"),
    ],
    "test_older_scanimage_notes_it_in_the_description": [
        ("ScanImage", "`state.acq`, `SI4`, `SI5` in ImageDescription"),
    ],
    "test_a_volume_may_go_on_in_the_next_file": [
        ("ScanImage", "one acquisition in several files"),
        ("OME-TIFF", "several files end to end"),
    ],
    "test_acquisitions_that_begin_again_are_not_one_movie": [
        ("ScanImage", "several acquisitions in one folder (frame numbers begin again)"),
    ],
    "test_imagej_hyperstack": [
        ("ImageJ, Fiji", "hyperstack: channels, slices, frames, `finterval`"),
    ],
    "test_a_stack_of_imagej_whose_slices_are_the_frames": [
        ("ImageJ, Fiji", "plain stack whose slices are the frames"),
        ("ImageJ, Fiji", "no `finterval`"),
    ],
    "test_imagej_above_4_gb_has_one_directory": [
        ("ImageJ, Fiji", "above 4 GB: one directory for all images"),
    ],
    "test_ome_in_any_order_of_its_dimensions": [
        ("OME-TIFF", "SizeC, SizeZ, SizeT in any DimensionOrder; TimeIncrement or DeltaT"),
    ],
    "test_an_image_a_file_of_several_channels_is_refused": [
        ("OME-TIFF: Bruker", "an image a file, several channels or planes"),
    ],
    "test_a_movie_of_several_files_is_one_recording": [
        ("OME-TIFF: Micro-Manager", "`MMStack_Pos0.ome.tif`, `MMStack_Pos0_1.ome.tif`"),
        ("TIFF", "numbered parts, or an image a file (8 or more)"),
    ],
    "test_axes_that_tifffile_wrote_are_those_of_the_pages": [
        ("tifffile", 'arrays of more than three axes, `{"shape": ..., "axes": "TCYX"}`'),
    ],
    "test_arrays_of_more_axes_without_names_are_asked_about": [
        ("tifffile", "the same without `axes`"),
    ],
    "test_thorimage_with_planes_flyback_and_averaging": [
        ("ThorImage", "Experiment.xml with `.raw`, or one-page TIFFs"),
    ],
    "test_thorsync_lines_and_counters": [
        ("ThorSync", "lines in DI, CI, AI"),
    ],
    "test_the_same_poses_in_every_form": [
        ("DeepLabCut", "CSV of `analyze_videos`: rows `scorer`, `bodyparts`, `coords`; x, y, likelihood"),
        ("DeepLabCut", "the same as HDF5 (`df_with_missing`, pandas *table*)"),
        ("DeepLabCut", "`axis0_level*`, `block0_values`"),
    ],
    "test_one_of_several_animals_is_asked_for": [
        ("DeepLabCut", "several animals: a row `individuals`"),
    ],
    "test_poses_in_3d_keep_z": [
        ("DeepLabCut 3D", "x, y, z without likelihood, CSV or HDF5"),
    ],
    "test_a_pose_file_that_another_program_saved_again": [
        ("DeepLabCut", "CSV that a spreadsheet saved again, with a byte-order mark"),
    ],
    "test_the_first_column_says_which_frame": [
        ("DeepLabCut", "first column begins late or has gaps"),
    ],
    "test_two_forms_of_one_file_are_one": [
        ("DeepLabCut", "`*_filtered.csv` beside the unfiltered file; CSV beside HDF5"),
    ],
    "test_hand_labels_are_no_poses": [
        ("DeepLabCut", "`CollectedData_*` (CSV, HDF5; image in one column or in three)"),
    ],
    "test_lightning_pose_and_its_ensembles": [
        ("Lightning Pose", "CSV as DeepLabCut; ensembles add columns, which are left out"),
    ],
    "test_sleap": [
        ("SLEAP", "analysis HDF5 in MATLAB's order, tracks named"),
    ],
    "test_without_tracks_there_is_one_animal": [
        ("SLEAP", "analysis HDF5 without tracks: `track_names` is empty"),
    ],
    "test_axes_are_those_that_the_file_says": [
        ("sleap-io", "analysis HDF5 with axes in the attribute `dims` (presets `matlab`, `standard`)"),
        ("SLEAP", "attribute `transpose: false`: frame, node, xy, track"),
    ],
    "test_tracks_of_a_project_and_what_was_corrected_by_hand": [
        ("SLEAP", "project `.slp`; predictions, corrected by hand or not"),
    ],
    "test_projects_of_hand_labels_or_of_several_videos": [
        ("SLEAP", "project of several videos"),
        ("SLEAP", "project with hand labels only; several animals without tracks"),
    ],
    "test_anipose": [
        ("Anipose", "CSV with `_x _y _z _error _ncams _score`, `M_*`, `center_*`, `fnum`"),
    ],
    "test_anipose_before_it_had_scores": [
        ("Anipose", "without `_score` or `_ncams`"),
    ],
    "test_a_pose_of_ndx_pose_in_2d_and_3d": [
        ("ndx-pose", "`PoseEstimation` in a processing module, 2D or 3D, one clock"),
    ],
    "test_keypoints_that_start_apart_go_by_their_own_clocks": [
        ("ndx-pose", "each keypoint with its own timestamps or starting time"),
    ],
    "test_several_poses_in_an_nwb_are_asked_about": [
        ("ndx-pose", "several `PoseEstimation` (animals or cameras)"),
    ],
    "test_movement_comes_before_what_else_has_a_clock": [
        ("NWB", "`SpatialSeries`, `TimeSeries`, `BehavioralTimeSeries`; several joined by name"),
    ],
    "test_shifts_of_images_and_stimuli_are_no_behaviour": [
        ("NWB", "only stimuli, or shifts of registered images (`xy_translation`)"),
    ],
    "test_what_is_not_recognised_is_listed_and_says_what_to_do": [
        ("EthoVision, Bonsai, Facemap, SLEAP's CSV", "tables of positions, `_proc.npy`"),
    ],
    "test_results_of_deepfly3d": [
        ("DeepFly3D", "pickles with `points3d`, or `points2d` of one camera"),
    ],
    "test_aligned_poses_and_angles_of_flies": [
        ("df3dPostProcessing, seqikpy", "aligned poses, joint angles"),
    ],
    "test_tables_know_their_clock_by_its_name": [
        (
            "plain tables",
            "CSV or Parquet with columns `time`, `timestamp`, `time_ms`, `frame`, or pandas' unnamed first column",
        ),
    ],
    "test_the_same_events_in_every_form": [
        ("BORIS", "aggregated events: `Behavior`, `Start (s)`, `Stop (s)` (CSV, TSV)"),
        ("BORIS", "tabular events: `Behavior type` START, STOP, POINT"),
        ("BORIS", "tabular events, with lines about the observation above them; `Status`"),
        ("ELAN", "`.eaf`, annotations with their own times"),
        ("ELAN", "tab-delimited text with a header, a column for each tier, any form of time"),
        ("ELAN", "tab-delimited text without a header, with hh:mm:ss.ms"),
        ("SimBA", "`detailed_bout_data_summary.csv`: `Event`, `Start_time`, `End Time`"),
        ("tables of intervals", "columns called start, onset, begin ... and stop, offset, end ..."),
    ],
    "test_a_binary_table_of_boris_goes_by_its_times": [
        ("BORIS", "behaviour binary table: `time`, and a column for each behaviour"),
    ],
    "test_boris_with_several_media_or_an_offset": [
        ("BORIS", "an observation of several media files"),
    ],
    "test_events_that_cannot_be_told_are_a_line": [
        ("BORIS", "observations of images: times are `NA`"),
    ],
    "test_tables_of_simba": [
        ("SimBA", "`targets_inserted`, `machine_results`: columns of classes after poses and features"),
    ],
    "test_deepethogram_and_one_column_of_names": [
        ("DeepEthogram", "`*_labels.csv`: `background` and a column for each class"),
    ],
    "test_a_column_of_frames_says_which": [
        ("tables of frames", "one-hot or one column of names; a column of frames or times, or none"),
    ],
    "test_the_unit_of_times_is_that_of_their_columns": [
        ("tables of intervals", "the same in ms or frames by name: `start_ms`, `stop_frame`"),
    ],
    "test_times_in_another_unit_are_refused_until_it_is_given": [
        ("tables of intervals", "ms or video frames in columns without a unit"),
    ],
    "test_nwb_traces_pose_and_trials": [
        ("NWB", "`trials`, `epochs`, any table of intervals"),
    ],
}
